// SPDX-License-Identifier: Apache-2.0
// The descriptors that came over one connection, each file once. A peer names them by device and inode.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <unordered_map>

#include "core/result.hpp"
#include "os/fd.hpp"

namespace crosswire::os {

// "inode://<st_dev>/<st_ino>", both decimal, as NSM writes it; empty if statx(2) fails.
std::string inode_url(int fd);

// Opens with O_PATH, following links: the descriptor names the file but gives no access to it. Errors: FILE_NOT_OPENED.
Result<Fd> open_by_path(const std::string& path);

// How many descriptors of peers a process holds, over all its connections.
class DescriptorQuota {
 public:
  explicit DescriptorQuota(size_t most) : left_(static_cast<int64_t>(most)) {}
  bool take() noexcept;
  void give_back(size_t count) noexcept { left_.fetch_add(static_cast<int64_t>(count)); }

 private:
  std::atomic<int64_t> left_;
};

// Any thread.
class DescriptorTable {
 public:
  DescriptorTable(size_t most, DescriptorQuota& quota) : most_(most), quota_(quota) {}
  DescriptorTable(const DescriptorTable&) = delete;
  DescriptorTable& operator=(const DescriptorTable&) = delete;
  ~DescriptorTable() { clear(); }

  enum class Kept : uint8_t { fresh, doubled, no_room };
  Kept keep(Fd fd, const std::string& url);
  // A duplicate, close-on-exec; an empty Fd if no descriptor of that name came. Errors: FILE_NOT_OPENED.
  Result<Fd> duplicate(const std::string& url) const;
  void clear() noexcept;

 private:
  const size_t most_;
  DescriptorQuota& quota_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Fd> held_;  // guarded by mutex_
};

}  // namespace crosswire::os

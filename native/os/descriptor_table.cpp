// SPDX-License-Identifier: Apache-2.0
#include "os/descriptor_table.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cerrno>
#include <utility>

#include "os/error.hpp"

namespace crosswire::os {

std::string inode_url(int fd) {
  struct statx status {};
  // Does not query the file system, which may be a FUSE server of the peer that never answers.
  if (::statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_INO, &status) != 0) return "";
  const dev_t device = ::makedev(status.stx_dev_major, status.stx_dev_minor);
  return "inode://" + std::to_string(device) + "/" + std::to_string(status.stx_ino);
}

Result<Fd> open_by_path(const std::string& path) {
  Fd fd(::open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!fd) return system_error("FILE_NOT_OPENED", "open a file for a peer", path, errno);
  return fd;
}

bool DescriptorQuota::take() noexcept {
  if (left_.fetch_sub(1) > 0) return true;
  left_.fetch_add(1);
  return false;
}

DescriptorTable::Kept DescriptorTable::keep(Fd fd, const std::string& url) {
  const std::lock_guard lock(mutex_);
  if (held_.contains(url)) return Kept::doubled;
  if (held_.size() >= most_ || !quota_.take()) return Kept::no_room;
  held_.emplace(url, std::move(fd));
  return Kept::fresh;
}

Result<Fd> DescriptorTable::duplicate(const std::string& url) const {
  const std::lock_guard lock(mutex_);
  const auto found = held_.find(url);
  if (found == held_.end()) return Fd();
  Fd copy(::fcntl(found->second.get(), F_DUPFD_CLOEXEC, 0));
  if (!copy) return system_error("FILE_NOT_OPENED", "duplicate a descriptor that a peer sent", url, errno);
  return copy;
}

void DescriptorTable::clear() noexcept {
  const std::lock_guard lock(mutex_);
  quota_.give_back(held_.size());
  held_.clear();
}

}  // namespace crosswire::os

// SPDX-License-Identifier: Apache-2.0
// Contains SIGBUS in mapped memory that a peer controls: its file can lose pages at any moment (ftruncate, a full
// tmpfs, an empty hugetlb pool), and the next access then raises SIGBUS here (mmap(2)).
//
// A fault inside a guarded range maps anonymous zero pages over the whole range and sets its flag; the faulting access
// then continues on memory that is ours alone. The owner of the flag drops what it read. A fault anywhere else goes to
// the previous handler, or ends the process as without a guard.
#pragma once

#include <atomic>
#include <cstddef>

namespace crosswire::os {

class MemoryGuard {
 public:
  MemoryGuard() noexcept = default;
  // `base` and `size` as mapped, in whole pages of their file system. `poisoned` must outlive the guard. Threads that
  // touch guarded memory must not block SIGBUS.
  MemoryGuard(void* base, size_t size, std::atomic<bool>& poisoned);
  MemoryGuard(MemoryGuard&& other) noexcept;
  MemoryGuard& operator=(MemoryGuard&&) = delete;
  ~MemoryGuard();  // before the range is unmapped, and when no thread touches it any more

 private:
  struct Entry;
  friend struct MemoryGuardTable;
  Entry* entry_ = nullptr;
};

}  // namespace crosswire::os

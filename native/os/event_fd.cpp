// SPDX-License-Identifier: Apache-2.0
#include "os/event_fd.hpp"

#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <string_view>

#include "os/error.hpp"

namespace crosswire::os {

Result<Fd> make_event_fd() {
  Fd fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!fd) return system_error("EVENTFD_FAILED", "create eventfd", "", errno);
  return fd;
}

bool is_event_fd(int fd) noexcept {
  char path[32];
  char target[32];
  std::snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  const ssize_t length = ::readlink(path, target, sizeof target);
  return length > 0 && std::string_view(target, static_cast<size_t>(length)) == "anon_inode:[eventfd]";
}

void signal_event_fd(int fd) noexcept {
  const uint64_t one = 1;
  // EAGAIN means that it is readable anyway.
  [[maybe_unused]] const ssize_t written = ::write(fd, &one, sizeof one);
}

bool drain_event_fd(int fd) noexcept {
  uint64_t count = 0;
  const iovec into{&count, sizeof count};
  return ::preadv2(fd, &into, 1, -1, RWF_NOWAIT) == static_cast<ssize_t>(sizeof count);
}

}  // namespace crosswire::os

// SPDX-License-Identifier: Apache-2.0
// Bytes and file descriptors over a connected SOCK_STREAM socket (unix(7), SCM_RIGHTS). Nothing here ever blocks.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "os/fd.hpp"

namespace crosswire::os {

enum class Flow : uint8_t { moved, blocked, ended, failed };

struct ReceivedBytes {
  Flow flow = Flow::blocked;  // ended: the peer sends no more
  size_t length = 0;
  bool truncated = false;  // descriptors were cut off: too many at once, or none left for us
  std::vector<Fd> fds;     // close-on-exec
  int errno_value = 0;     // of failed
};

// At most 64 descriptors in one call, as NSM's own peers have it.
ReceivedBytes receive_bytes(int socket, std::span<uint8_t> into);

struct SentBytes {
  Flow flow = Flow::blocked;  // ended: the peer takes no more
  size_t length = 0;
  int errno_value = 0;  // of failed
};

// `fd`, if any, goes with the first byte. At least one byte must be given.
SentBytes send_bytes(int socket, std::span<const uint8_t> bytes, int fd = -1) noexcept;

}  // namespace crosswire::os

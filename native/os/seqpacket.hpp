// SPDX-License-Identifier: Apache-2.0
// Records and file descriptors over a connected SOCK_SEQPACKET socket (unix(7)).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "os/fd.hpp"

namespace crosswire::os {

// All or nothing, never blocks; false if the peer does not read or is gone.
bool send_record(int socket, std::span<const uint8_t> bytes, int fd = -1) noexcept;

struct ReceivedRecord {
  enum class Kind { record, none_yet, closed };
  Kind kind = Kind::none_yet;
  size_t length = 0;
  bool truncated = false;  // bytes or descriptors were cut off
  std::vector<Fd> fds;     // all that came, also more than expected: SCM_MAX_FD is 253
};

ReceivedRecord receive_record(int socket, std::span<uint8_t> into);

}  // namespace crosswire::os

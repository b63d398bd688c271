// SPDX-License-Identifier: Apache-2.0
// Unix sockets that keep records apart and carry file descriptors (unix(7), SOCK_SEQPACKET). An address is a path, or
// "@name" for the abstract namespace of the calling thread's network namespace.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "os/fd.hpp"

namespace crosswire::os {

inline constexpr size_t max_socket_address = 107;  // bytes: sun_path less one NUL

// Why a socket address cannot be one, or an empty string.
std::string socket_address_fault(const std::string& address);

// A listening socket; for a path also what tells its file from a later one of the same name.
struct SocketListener {
  Fd fd;
  std::string path;  // empty if abstract
  uint64_t device = 0;
  uint64_t inode = 0;
};

// A socket file that nobody is bound to any more is replaced. Errors: SOCKET_PATH, SOCKET_BUSY, SOCKET_FAILED.
Result<SocketListener> listen_seqpacket(const std::string& address, int backlog);
void remove_socket_file(const SocketListener& listener) noexcept;  // only if it is still ours

// Non-blocking, and unix sockets connect at once or not at all. Errors: SOCKET_PATH, SOCKET_ABSENT, SOCKET_FAILED.
Result<Fd> connect_seqpacket(const std::string& address);

// Empty if there is nobody to accept; `exhausted` if there is, and no descriptor or memory for it.
struct Accepted {
  Fd fd;
  bool exhausted = false;
};
Accepted accept_seqpacket(int listener) noexcept;

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

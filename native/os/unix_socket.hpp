// SPDX-License-Identifier: Apache-2.0
// Unix sockets (unix(7)) that listen and connect. An address is a path, or "@name" for the abstract namespace of the
// calling thread's network namespace.
#pragma once

#include <cstdint>
#include <string>

#include "core/result.hpp"
#include "os/fd.hpp"

namespace crosswire::os {

enum class SocketType : uint8_t {
  records,  // SOCK_SEQPACKET: os/seqpacket.hpp
  bytes,    // SOCK_STREAM: os/byte_stream.hpp
};

inline constexpr size_t max_socket_address = 107;  // bytes: sun_path less one NUL

// Why the text cannot be a socket address; empty if it can.
std::string socket_address_fault(const std::string& address);

// A listening socket; for a path, also the identity of its file, which distinguishes it from a later file of that name.
struct SocketListener {
  Fd fd;
  std::string path;  // empty if abstract
  uint64_t device = 0;
  uint64_t inode = 0;
};

// A socket file that nobody is bound to any more is replaced. Errors: SOCKET_PATH, SOCKET_BUSY, SOCKET_FAILED.
Result<SocketListener> listen_unix(SocketType type, const std::string& address, int backlog);
void remove_socket_file(const SocketListener& listener) noexcept;  // only if it is still ours

// A non-blocking socket. A unix socket connects at once or not at all. Errors: SOCKET_PATH, SOCKET_ABSENT (errno
// EAGAIN: its backlog is full), SOCKET_FAILED.
Result<Fd> connect_unix(SocketType type, const std::string& address);

// Empty if no connection waits; `exhausted` if one waits, but there is no descriptor or memory for it.
struct Accepted {
  Fd fd;
  bool exhausted = false;
};
Accepted accept_unix(int listener) noexcept;

}  // namespace crosswire::os

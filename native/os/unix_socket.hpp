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
Result<SocketListener> listen_unix(SocketType type, const std::string& address, int backlog);
void remove_socket_file(const SocketListener& listener) noexcept;  // only if it is still ours

// Non-blocking, and unix sockets connect at once or not at all. Errors: SOCKET_PATH, SOCKET_ABSENT (errno EAGAIN: its
// backlog is full), SOCKET_FAILED.
Result<Fd> connect_unix(SocketType type, const std::string& address);

// Empty if there is nobody to accept; `exhausted` if there is, and no descriptor or memory for it.
struct Accepted {
  Fd fd;
  bool exhausted = false;
};
Accepted accept_unix(int listener) noexcept;

}  // namespace crosswire::os

// SPDX-License-Identifier: Apache-2.0
#include "os/unix_socket.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "os/error.hpp"

namespace crosswire::os {
namespace {

struct Address {
  sockaddr_un value{};
  socklen_t length = 0;
};

bool is_abstract(const std::string& address) { return address.starts_with('@'); }

// An abstract address is as long as its name: no trailing NUL, no padding (memif contract §2).
Address encode(const std::string& address) {
  Address encoded;
  encoded.value.sun_family = AF_UNIX;
  std::memcpy(encoded.value.sun_path, address.data(), address.size());
  encoded.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size());
  if (is_abstract(address)) {
    encoded.value.sun_path[0] = '\0';
  } else {
    encoded.length++;
  }
  return encoded;
}

int number_of(SocketType type) { return type == SocketType::records ? SOCK_SEQPACKET : SOCK_STREAM; }

Fd open_socket(int type) { return Fd(::socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)); }

// Whether a socket is bound to the file. Probes with a datagram socket: the kernel answers EPROTOTYPE, and the owner
// notices nothing (net/unix/af_unix.c, unix_find_bsd). A real connection that sends nothing crashes VPP.
bool somebody_is_bound(const Address& address) {
  const Fd probe = open_socket(SOCK_DGRAM);
  if (!probe) return true;
  return ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address.value), address.length) == 0 ||
         errno != ECONNREFUSED;
}

Result<> remove_stale_file(const std::string& path, const Address& address) {
  const char* operation = "listen on unix socket";
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return Done{};
    return system_error("SOCKET_PATH", operation, path, errno);
  }
  if (!S_ISSOCK(status.st_mode)) return Error{"SOCKET_PATH", operation, path, "the path exists and is no socket", 0};
  if (somebody_is_bound(address)) return Error{"SOCKET_BUSY", operation, path, "another process listens on it", 0};
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return system_error("SOCKET_PATH", operation, path, errno);
  return Done{};
}

Error listen_error(const std::string& address, int errno_value) {
  const bool about_path = errno_value == ENOENT || errno_value == ENOTDIR || errno_value == EACCES ||
                          errno_value == EROFS || errno_value == EPERM || errno_value == ELOOP;
  const char* code = errno_value == EADDRINUSE ? "SOCKET_BUSY" : about_path ? "SOCKET_PATH" : "SOCKET_FAILED";
  return system_error(code, "listen on unix socket", address, errno_value);
}

}  // namespace

std::string socket_address_fault(const std::string& address) {
  if (address.empty() || address == "@") return "it is empty";
  if (address.size() > max_socket_address) return "it is longer than 107 bytes";
  if (address.find('\0') != std::string::npos) return "it contains a NUL byte";
  if (address[0] != '@' && address[0] != '/') return "it is neither an absolute path nor an abstract @name";
  return "";
}

Result<SocketListener> listen_unix(SocketType type, const std::string& address, int backlog) {
  const std::string fault = socket_address_fault(address);
  if (!fault.empty()) return Error{"SOCKET_PATH", "listen on unix socket", address, fault, 0};
  const Address encoded = encode(address);
  if (!is_abstract(address)) {
    auto removed = remove_stale_file(address, encoded);
    if (!removed) return std::move(removed).error();
  }
  SocketListener listener;
  listener.fd = open_socket(number_of(type));
  if (!listener.fd) return listen_error(address, errno);
  if (::bind(listener.fd.get(), reinterpret_cast<const sockaddr*>(&encoded.value), encoded.length) != 0) {
    return listen_error(address, errno);
  }
  if (!is_abstract(address)) {
    struct stat status {};
    if (::lstat(address.c_str(), &status) != 0) return listen_error(address, errno);
    listener.path = address;
    listener.device = status.st_dev;
    listener.inode = status.st_ino;
  }
  if (::listen(listener.fd.get(), backlog) != 0) {
    const int errno_value = errno;
    remove_socket_file(listener);
    return listen_error(address, errno_value);
  }
  return listener;
}

void remove_socket_file(const SocketListener& listener) noexcept {
  struct stat status {};
  if (listener.path.empty() || ::lstat(listener.path.c_str(), &status) != 0) return;
  if (S_ISSOCK(status.st_mode) && status.st_dev == listener.device && status.st_ino == listener.inode) {
    ::unlink(listener.path.c_str());
  }
}

Result<Fd> connect_unix(SocketType type, const std::string& address) {
  const char* operation = "connect to unix socket";
  const std::string fault = socket_address_fault(address);
  if (!fault.empty()) return Error{"SOCKET_PATH", operation, address, fault, 0};
  const Address encoded = encode(address);
  Fd fd = open_socket(number_of(type));
  if (!fd) return system_error("SOCKET_FAILED", operation, address, errno);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&encoded.value), encoded.length) != 0) {
    const bool absent = errno == ENOENT || errno == ECONNREFUSED || errno == EAGAIN;
    return system_error(absent ? "SOCKET_ABSENT" : "SOCKET_FAILED", operation, address, errno);
  }
  return fd;
}

Accepted accept_unix(int listener) noexcept {
  Accepted accepted{Fd(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK))};
  accepted.exhausted = !accepted.fd && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM);
  return accepted;
}

}  // namespace crosswire::os

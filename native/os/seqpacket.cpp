// SPDX-License-Identifier: Apache-2.0
#include "os/seqpacket.hpp"

#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "os/control_data.hpp"

namespace crosswire::os {
namespace {

// Room for SCM_MAX_FD (net/scm.h) descriptors and, with SO_PASSCRED, credentials before them. With less room the kernel
// installs what fits and drops the rest.
constexpr size_t max_fds = 253;
constexpr size_t control_size = CMSG_SPACE(max_fds * sizeof(int)) + CMSG_SPACE(sizeof(ucred));

}  // namespace

bool send_record(int socket, std::span<const uint8_t> bytes, int fd) noexcept {
  iovec data{const_cast<uint8_t*>(bytes.data()), bytes.size()};
  OutgoingFd beside;
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  beside.attach(message, fd);
  return ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == static_cast<ssize_t>(bytes.size());
}

ReceivedRecord receive_record(int socket, std::span<uint8_t> into) {
  iovec data{into.data(), into.size()};
  alignas(cmsghdr) std::array<char, control_size> control;
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();

  ReceivedRecord record;
  const ssize_t length = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (length < 0) {
    const bool later = errno == EAGAIN || errno == EINTR;
    record.kind = later ? ReceivedRecord::Kind::none_yet : ReceivedRecord::Kind::closed;
    return record;
  }
  take_fds(message, record.fds);
  record.kind = length == 0 ? ReceivedRecord::Kind::closed : ReceivedRecord::Kind::record;
  record.length = static_cast<size_t>(length);
  record.truncated = (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0;
  return record;
}

}  // namespace crosswire::os

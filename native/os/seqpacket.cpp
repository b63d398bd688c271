// SPDX-License-Identifier: Apache-2.0
#include "os/seqpacket.hpp"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace crosswire::os {
namespace {

// SCM_MAX_FD (net/scm.h) descriptors and, where SO_PASSCRED is on, credentials in front of them: with less room the
// kernel installs what fits and the rest would be lost unseen.
constexpr size_t max_fds = 253;
constexpr size_t control_size = CMSG_SPACE(max_fds * sizeof(int)) + CMSG_SPACE(sizeof(ucred));

void take_fds(const cmsghdr* header, std::vector<Fd>& fds) {
  const size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
  for (size_t i = 0; i < count; i++) {
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(header) + i * sizeof fd, sizeof fd);
    fds.emplace_back(fd);
  }
}

}  // namespace

bool send_record(int socket, std::span<const uint8_t> bytes, int fd) noexcept {
  iovec data{const_cast<uint8_t*>(bytes.data()), bytes.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  if (fd >= 0) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
  }
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
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) take_fds(header, record.fds);
  }
  record.kind = length == 0 ? ReceivedRecord::Kind::closed : ReceivedRecord::Kind::record;
  record.length = static_cast<size_t>(length);
  record.truncated = (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0;
  return record;
}

}  // namespace crosswire::os

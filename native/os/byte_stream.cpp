// SPDX-License-Identifier: Apache-2.0
#include "os/byte_stream.hpp"

#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "os/control_data.hpp"

namespace crosswire::os {
namespace {

constexpr size_t most_fds = 64;

// Retries after EINTR: with edge-triggered epoll (EPOLLET), nothing else would repeat the call.
template <class Call>
ssize_t uninterrupted(Call call) {
  ssize_t outcome = 0;
  do outcome = call();
  while (outcome < 0 && errno == EINTR);
  return outcome;
}

}  // namespace

ReceivedBytes receive_bytes(int socket, std::span<uint8_t> into) {
  iovec data{into.data(), into.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(most_fds * sizeof(int))> control;
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();

  ReceivedBytes received;
  const ssize_t length = uninterrupted([&] { return ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT); });
  if (length < 0) {
    received.errno_value = errno;
    received.flow = errno == EAGAIN ? Flow::blocked : Flow::failed;
    return received;
  }
  take_fds(message, received.fds);
  received.flow = length == 0 ? Flow::ended : Flow::moved;
  received.length = static_cast<size_t>(length);
  received.truncated = (message.msg_flags & MSG_CTRUNC) != 0;
  return received;
}

SentBytes send_bytes(int socket, std::span<const uint8_t> bytes, int fd) noexcept {
  iovec data{const_cast<uint8_t*>(bytes.data()), bytes.size()};
  OutgoingFd beside;
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  beside.attach(message, fd);
  const ssize_t length = uninterrupted([&] { return ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT); });
  if (length >= 0) return {Flow::moved, static_cast<size_t>(length), 0};
  if (errno == EAGAIN) return {};
  return {errno == EPIPE || errno == ECONNRESET ? Flow::ended : Flow::failed, 0, errno};
}

}  // namespace crosswire::os

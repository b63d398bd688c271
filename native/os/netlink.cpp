// SPDX-License-Identifier: Apache-2.0
#include "os/netlink.hpp"

#include <linux/genetlink.h>
#include <sys/socket.h>

#include <cerrno>

#include "os/error.hpp"
#include "os/netlink_verdict.hpp"
#include "os/netns.hpp"

namespace crosswire::os {

namespace {

constexpr size_t receive_size = 32768;     // the most that the kernel puts into one part of a dump
constexpr size_t longest_answer = 131072;  // the attributes of a link, one of which may take 64 KiB
constexpr int dump_attempts = 10;

}  // namespace

NetlinkSocket::NetlinkSocket(Fd socket) : socket_(std::move(socket)), buffer_(receive_size) {}

Result<NetlinkSocket> NetlinkSocket::open_for(const std::string& netns, int protocol) {
  auto guard = NamespaceGuard::enter(netns);
  if (!guard) return std::move(guard).error();
  Fd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol));
  const sockaddr_nl any_port{.nl_family = AF_NETLINK};  // the kernel chooses one
  if (!socket || ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&any_port), sizeof any_port) != 0) {
    return system_error("NETLINK_FAILED", "open netlink socket", netns, errno);
  }
  // Error texts; acknowledgements without a copy of the request; strict checking, so that the kernel filters dumps and
  // refuses a malformed request as a whole. Kernels before 4.20 lack the last, which is harmless.
  for (const int option : {NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK}) {
    const int on = 1;
    ::setsockopt(socket.get(), SOL_NETLINK, option, &on, sizeof on);
  }
  return NetlinkSocket(std::move(socket));
}

void NetlinkSocket::expect_long_answers() { buffer_.resize(longest_answer); }

Verdict NetlinkSocket::request(NetlinkMessage& message, const Visitor& visit) {
  message.header()->nlmsg_flags |= NLM_F_ACK;
  bool interrupted = false;
  return talk(message, visit, interrupted);
}

Verdict NetlinkSocket::dump(NetlinkMessage& message, const std::function<void()>& restart, const Visitor& visit) {
  message.header()->nlmsg_flags |= NLM_F_DUMP;
  for (int attempt = 0; attempt < dump_attempts; ++attempt) {
    bool interrupted = false;
    auto verdict = talk(message, visit, interrupted);
    if (!verdict.accepted() || !interrupted) return verdict;
    restart();
  }
  return {EAGAIN, "it kept changing while it was read"};
}

Verdict NetlinkSocket::find_family(const char* name, uint16_t& number) {
  NetlinkMessage message(GENL_ID_CTRL, 0, genlmsghdr{CTRL_CMD_GETFAMILY, 1, 0});
  message.put_text(CTRL_ATTR_FAMILY_NAME, name);
  return request(message, [&](const nlmsghdr* answer) {
    if (answer->nlmsg_type == GENL_ID_CTRL && payload_size(answer) >= sizeof(genlmsghdr))
      number = Attributes(answer, sizeof(genlmsghdr)).u16(CTRL_ATTR_FAMILY_ID).value_or(0);
  });
}

ssize_t NetlinkSocket::receive() {
  iovec part{buffer_.data(), buffer_.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  const ssize_t received = ::recvmsg(socket_.get(), &message, 0);
  if (received < 0 || (message.msg_flags & MSG_TRUNC) == 0) return received;
  errno = ENOSPC;
  return -1;
}

// The kernel handles a request within sendto(2), so an answer is always waiting or on its way: no deadline is needed.
Verdict NetlinkSocket::talk(NetlinkMessage& message, const Visitor& visit, bool& interrupted) {
  if (message.overflowed()) return verdict_of_errno(EMSGSIZE);
  nlmsghdr* request = message.header();
  request->nlmsg_seq = ++sequence_;
  const sockaddr_nl kernel{.nl_family = AF_NETLINK};
  const auto* destination = reinterpret_cast<const sockaddr*>(&kernel);
  if (::sendto(socket_.get(), request, request->nlmsg_len, 0, destination, sizeof kernel) < 0)
    return verdict_of_errno(errno);
  while (true) {
    const ssize_t received = receive();
    if (received < 0 && errno == EINTR) continue;
    if (received < 0) return verdict_of_errno(errno);
    auto left = static_cast<uint32_t>(received);
    for (const auto* answer = reinterpret_cast<const nlmsghdr*>(buffer_.data()); NLMSG_OK(answer, left);
         answer = NLMSG_NEXT(answer, left)) {
      if (answer->nlmsg_seq != sequence_) continue;
      interrupted |= (answer->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
      if (answer->nlmsg_type == NLMSG_ERROR || answer->nlmsg_type == NLMSG_DONE) return verdict_of(answer, request);
      if (visit) visit(answer);
    }
  }
}

Error refusal(const Verdict& verdict, std::string code, std::string operation, std::string subject) {
  std::string reason = verdict.text;
  if (verdict.errno_value == EPERM) {
    code = "PERMISSION_DENIED";
    reason += "; needs CAP_NET_ADMIN in the user namespace that owns the network namespace";
  } else if (verdict.errno_value == ENODEV) {
    code = "INTERFACE_MISSING";
  }
  return {std::move(code), std::move(operation), std::move(subject), std::move(reason), verdict.errno_value};
}

}  // namespace crosswire::os

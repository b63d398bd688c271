// SPDX-License-Identifier: Apache-2.0
// A netlink socket: for routing (rtnetlink(7)), or generic. It belongs to the namespace in which it was opened and
// keeps that namespace alive, so no socket outlives a call: the namespace of a dead pod must be able to vanish.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "os/fd.hpp"
#include "os/netlink_message.hpp"

namespace crosswire::os {

// How the kernel answered a request: errno_value 0 is success.
struct Verdict {
  int errno_value = 0;
  std::string text;  // the kernel's own words (extended acknowledgement) and errno's
  bool accepted() const noexcept { return errno_value == 0; }
};

class NetlinkSocket {
 public:
  // Enters the namespace (a path; empty: the current one) only for the opening. Errors: those of NamespaceGuard,
  // NETLINK_FAILED.
  static Result<NetlinkSocket> open(const std::string& netns) { return open_for(netns, NETLINK_ROUTE); }
  static Result<NetlinkSocket> open_generic(const std::string& netns) { return open_for(netns, NETLINK_GENERIC); }

  using Visitor = std::function<void(const nlmsghdr* answer)>;
  // Asks for an acknowledgement and waits for it. Answers that come before it (of a GET) go to `visit`.
  Verdict request(NetlinkMessage& message, const Visitor& visit = {});
  // A dump during which something changed starts again after `restart`, a bounded number of times; then: EAGAIN.
  Verdict dump(NetlinkMessage& message, const std::function<void()>& restart, const Visitor& visit);

  // To be called before a request whose answer may be longer than a part of a dump.
  void expect_long_answers();

  // The number of a generic netlink family; the kernel loads its module. ENOENT: there is none.
  Verdict find_family(const char* name, uint16_t& number);

  // For ioctl(2) requests about interfaces of its namespace.
  int descriptor() const noexcept { return socket_.get(); }

 private:
  static Result<NetlinkSocket> open_for(const std::string& netns, int protocol);
  explicit NetlinkSocket(Fd socket);
  // Of one part of an answer; a part that finds no room in the buffer is ENOSPC, not cut.
  ssize_t receive();
  Verdict talk(NetlinkMessage& message, const Visitor& visit, bool& interrupted);

  Fd socket_;
  std::vector<char> buffer_;
  uint32_t sequence_ = 0;
};

// The Error for a verdict that was not accepted: PERMISSION_DENIED for EPERM, INTERFACE_MISSING for ENODEV, otherwise
// `code`.
Error refusal(const Verdict& verdict, std::string code, std::string operation, std::string subject);

}  // namespace crosswire::os

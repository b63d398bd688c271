// SPDX-License-Identifier: Apache-2.0
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <cerrno>

#include "os/interface_read.hpp"
#include "os/netns.hpp"

namespace crosswire::os {

namespace {

// By index: another interface may have the name by now.
ifinfomsg header_of(const InterfaceInfo& link) {
  ifinfomsg header{};
  header.ifi_index = static_cast<int>(link.index);
  return header;
}

Verdict request_alias(NetlinkSocket& socket, const InterfaceInfo& link, const std::string& alias) {
  NetlinkMessage message(RTM_SETLINK, 0, header_of(link));
  message.put_bytes(IFLA_IFALIAS, alias.data(), alias.size());  // a length of 0 removes it
  return socket.request(message);
}

// The kernel takes the interface down, moves it and names it within one request (__dev_change_net_namespace() in
// net/core/dev.c): nobody in the new namespace sees the old name.
Verdict request_move(NetlinkSocket& socket, const InterfaceInfo& link, const Fd& target, const std::string& name) {
  NetlinkMessage message(RTM_SETLINK, 0, header_of(link));
  message.put_u32(IFLA_NET_NS_FD, static_cast<uint32_t>(target.get()));
  message.put_text(IFLA_IFNAME, name);
  return socket.request(message);
}

}  // namespace

Result<> mark_interface(const InterfaceReference& interface, const std::string& from, const std::string& alias) {
  const char* operation = "mark interface";
  auto socket = NetlinkSocket::open(interface.netns);
  if (!socket) return std::move(socket).error();
  auto link = read_own_link(socket.value(), interface, from, operation);
  if (!link) return std::move(link).error();
  const auto verdict = request_alias(socket.value(), link.value(), alias);
  if (verdict.accepted()) return Done{};
  return refusal(verdict, "INTERFACE_REFUSED", operation, describe(interface));
}

Result<> move_interface(const InterfaceMove& move) {
  const std::string operation = "move interface to " + move.rename + " in " + move.to;
  auto target = open_namespace_or_own(move.to);
  if (!target) return std::move(target).error();
  auto socket = NetlinkSocket::open(move.interface.netns);
  if (!socket) return std::move(socket).error();
  auto link = read_link(socket.value(), move.interface);
  if (link && link.value().alias.empty() && !move.alias.empty()) {
    const auto marked = request_alias(socket.value(), link.value(), move.alias);
    if (!marked.accepted()) return refusal(marked, "INTERFACE_REFUSED", "mark interface", describe(move.interface));
  }
  link = read_own_link(socket.value(), move.interface, move.alias, operation.c_str());
  if (!link) return std::move(link).error();
  const auto verdict = request_move(socket.value(), link.value(), target.value(), move.rename);
  if (verdict.accepted()) return Done{};
  const auto code = verdict.errno_value == EEXIST ? "INTERFACE_EXISTS" : "INTERFACE_REFUSED";
  return refusal(verdict, code, operation, describe(move.interface));
}

}  // namespace crosswire::os

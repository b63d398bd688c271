// SPDX-License-Identifier: Apache-2.0
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>

#include <cerrno>

#include "os/interface_read.hpp"
#include "os/netns.hpp"
#include "os/policy.hpp"

namespace crosswire::os {

namespace {

constexpr const char* create_operation = "create veth pair";

void put_side(NetlinkMessage& message, const VethSide& side) {
  message.put_text(IFLA_IFNAME, side.interface.name);
  message.put_mac(IFLA_ADDRESS, side.mac);
  message.put_u32(IFLA_MTU, side.mtu);
}

// Requested in the namespace of `a`, so that `a` is created there, and `b` in `b_namespace` (veth_newlink() in
// drivers/net/veth.c).
Verdict request_pair(NetlinkSocket& socket, const VethSide& a, const VethSide& b, const Fd& b_namespace) {
  NetlinkMessage message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, ifinfomsg{});
  put_side(message, a);
  auto* info = message.open_nest(IFLA_LINKINFO);
  message.put_text(IFLA_INFO_KIND, "veth");
  auto* data = message.open_nest(IFLA_INFO_DATA);
  auto* peer = message.open_nest(VETH_INFO_PEER);
  message.put_header(ifinfomsg{});
  put_side(message, b);
  message.put_u32(IFLA_NET_NS_FD, static_cast<uint32_t>(b_namespace.get()));
  message.close_nest(peer);
  message.close_nest(data);
  message.close_nest(info);
  return socket.request(message);
}

Verdict set_traits(NetlinkSocket& socket, const std::string& name, const InterfaceTraits& traits) {
  NetlinkMessage message(RTM_SETLINK, 0, ifinfomsg{});
  message.put_text(IFLA_IFNAME, name);
  message.put_text(IFLA_IFALIAS, traits.alias);
  if (traits.mac) message.put_mac(IFLA_ADDRESS, *traits.mac);
  if (traits.mtu != 0) message.put_u32(IFLA_MTU, traits.mtu);
  if (traits.transmit_queue_length != 0) message.put_u32(IFLA_TXQLEN, traits.transmit_queue_length);
  return socket.request(message);
}

Verdict remove(NetlinkSocket& socket, const std::string& name) {
  NetlinkMessage message(RTM_DELLINK, 0, ifinfomsg{});
  message.put_text(IFLA_IFNAME, name);
  return socket.request(message);
}

Error creation_error(const Verdict& verdict, const VethSide& a, const VethSide& b) {
  const auto code = verdict.errno_value == EEXIST ? "INTERFACE_EXISTS" : "INTERFACE_REFUSED";
  return refusal(verdict, code, create_operation, describe(a.interface) + " and " + describe(b.interface));
}

}  // namespace

Result<> create_veth_pair(const VethSide& a, const VethSide& b) {
  auto a_socket = NetlinkSocket::open(a.interface.netns);
  if (!a_socket) return std::move(a_socket).error();
  auto b_socket = NetlinkSocket::open(b.interface.netns);
  if (!b_socket) return std::move(b_socket).error();
  auto b_namespace = open_namespace_or_own(b.interface.netns);
  if (!b_namespace) return std::move(b_namespace).error();

  const auto created = request_pair(a_socket.value(), a, b, b_namespace.value());
  if (!created.accepted()) return creation_error(created, a, b);
  auto marked = set_traits(a_socket.value(), a.interface.name, {a.alias, {}, 0, 0});
  if (marked.accepted()) marked = set_traits(b_socket.value(), b.interface.name, {b.alias, {}, 0, 0});
  if (marked.accepted()) return Done{};
  (void)remove(a_socket.value(), a.interface.name);  // takes its peer along
  return creation_error(marked, a, b);
}

Result<> adopt_interface(const InterfaceReference& interface, const InterfaceTraits& traits) {
  auto socket = NetlinkSocket::open(interface.netns);
  if (!socket) return std::move(socket).error();
  const auto shaped = set_traits(socket.value(), interface.name, traits);
  if (shaped.accepted()) return Done{};
  (void)remove(socket.value(), interface.name);
  return refusal(shaped, "INTERFACE_REFUSED", "set up new interface", describe(interface));
}

Result<bool> delete_interface(const InterfaceReference& interface, const std::string& alias) {
  const char* operation = "delete interface";
  auto socket = NetlinkSocket::open(interface.netns);
  if (!socket && socket.error().code == "NAMESPACE_MISSING") return false;
  if (!socket) return std::move(socket).error();
  auto link = read_own_link(socket.value(), interface, alias, operation);
  const bool is_gone = !link && link.error().code == "INTERFACE_MISSING";
  if (!link && !is_gone) return std::move(link).error();
  // Rules outlive an interface (net/core/fib_rules.c refers to it only as iif and oif).
  sweep_rules(socket.value(), interface.netns, is_gone ? 0 : link.value().index);
  if (is_gone) return false;
  // By index: another interface may have the name by now.
  ifinfomsg header{};
  header.ifi_index = static_cast<int>(link.value().index);
  NetlinkMessage message(RTM_DELLINK, 0, header);
  const auto removed = socket.value().request(message);
  if (removed.accepted()) return true;
  if (removed.errno_value == ENODEV) return false;
  return refusal(removed, "INTERFACE_REFUSED", operation, describe(interface));
}

}  // namespace crosswire::os

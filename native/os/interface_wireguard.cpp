// SPDX-License-Identifier: Apache-2.0
#include <linux/genetlink.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/wireguard.h>

#include <algorithm>
#include <cerrno>

#include "os/interface_read.hpp"
#include "os/netns.hpp"

namespace crosswire::os {

namespace {

constexpr const char* create_operation = "create WireGuard device";
constexpr const char* kind = "wireguard";

// Asked in the caller's own namespace, which becomes that of the UDP socket (wg_newlink() in
// drivers/net/wireguard/device.c, creating_net); the device is born in the other.
Verdict request_device(NetlinkSocket& socket, const WireguardDevice& device, const Fd& target) {
  NetlinkMessage message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, ifinfomsg{});
  message.put_text(IFLA_IFNAME, device.interface.name);
  message.put_u32(IFLA_MTU, device.mtu);
  message.put_u32(IFLA_NET_NS_FD, static_cast<uint32_t>(target.get()));
  auto* info = message.open_nest(IFLA_LINKINFO);
  message.put_text(IFLA_INFO_KIND, kind);
  message.close_nest(info);
  return socket.request(message);
}

Error creation_error(const Verdict& verdict, const WireguardDevice& device) {
  auto error = refusal(verdict, "TUNNEL_REFUSED", create_operation, describe(device.interface));
  if (verdict.errno_value == EOPNOTSUPP) error.reason += "; the kernel may lack WireGuard: modprobe wireguard";
  return error;
}

// A device is found by the namespace of the socket that asks.
Verdict configure(const WireguardDevice& device, NetlinkSocket& socket) {
  uint16_t family = 0;
  auto verdict = socket.find_family(WG_GENL_NAME, family);
  if (!verdict.accepted()) return verdict;
  NetlinkMessage message(family, 0, genlmsghdr{WG_CMD_SET_DEVICE, WG_GENL_VERSION, 0});
  put_wireguard(message, device.interface.name, device.private_key, device.tunnel);
  verdict = socket.request(message);
  message.wipe();
  return verdict;
}

Result<> make_ready(const WireguardDevice& device) {
  auto socket = NetlinkSocket::open_generic(device.interface.netns);
  if (!socket) return std::move(socket).error();
  const auto configured = configure(device, socket.value());
  if (!configured.accepted()) return creation_error(configured, device);
  return Done{};
}

}  // namespace

Result<> create_wireguard(const WireguardDevice& device) {
  auto socket = NetlinkSocket::open("");
  if (!socket) return std::move(socket).error();
  auto target = open_namespace_or_own(device.interface.netns);
  if (!target) return std::move(target).error();
  const auto created = request_device(socket.value(), device, target.value());
  if (!created.accepted()) return creation_error(created, device);
  auto done = adopt_interface(device.interface, {device.alias, {}, 0, 0});
  if (!done) return done;
  done = make_ready(device);
  if (!done) (void)delete_interface(device.interface, device.alias);
  return done;
}

Result<> read_wireguard(const std::string& netns, std::vector<InterfaceInfo>& interfaces) {
  if (std::ranges::none_of(interfaces, [](const auto& one) { return one.kind == kind; })) return Done{};
  auto socket = NetlinkSocket::open_generic(netns);
  if (!socket) return std::move(socket).error();
  uint16_t family = 0;
  auto verdict = socket.value().find_family(WG_GENL_NAME, family);
  for (auto& interface : interfaces) {
    if (!verdict.accepted()) break;
    if (interface.kind != kind) continue;
    NetlinkMessage message(family, 0, genlmsghdr{WG_CMD_GET_DEVICE, WG_GENL_VERSION, 0});
    message.put_u32(WGDEVICE_A_IFINDEX, interface.index);
    WireguardReader reader;
    verdict = socket.value().dump(
        message, [&] { reader.clear(); }, [&](const nlmsghdr* answer) { reader.read(answer); });
    interface.wireguard = reader.state();
    if (verdict.errno_value == ENODEV) verdict = {};
  }
  if (verdict.accepted()) return Done{};
  return refusal(verdict, "NETLINK_FAILED", "read WireGuard device", netns);
}

}  // namespace crosswire::os

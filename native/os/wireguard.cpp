// SPDX-License-Identifier: Apache-2.0
#include "os/wireguard.hpp"

#include <linux/genetlink.h>
#include <linux/wireguard.h>

#include <algorithm>
#include <cerrno>

#include "os/interface_read.hpp"

namespace crosswire::os {

namespace {

// The kernel looks the device up in the namespace of the socket.
Verdict set_device(NetlinkSocket& socket, const std::string& name, const WireguardParameters& parameters) {
  uint16_t family = 0;
  auto verdict = socket.find_family(WG_GENL_NAME, family);
  if (!verdict.accepted()) return verdict;
  NetlinkMessage message(family, 0, genlmsghdr{WG_CMD_SET_DEVICE, WG_GENL_VERSION, 0});
  put_wireguard(message, name, parameters.private_key, parameters.tunnel);
  verdict = socket.request(message);
  message.wipe();
  return verdict;
}

}  // namespace

std::string WireguardParameters::describe() const {
  return "WireGuard from UDP port " + std::to_string(tunnel.port) + " to " + to_text(tunnel.remote) + ", port " +
         std::to_string(tunnel.remote_port);
}

Result<> WireguardParameters::configure(const InterfaceReference& interface) const {
  auto socket = NetlinkSocket::open_generic(interface.netns);
  if (!socket) return std::move(socket).error();
  const auto configured = set_device(socket.value(), interface.name, *this);
  if (configured.accepted()) return Done{};
  return refusal(configured, "TUNNEL_REFUSED", "create WireGuard device", os::describe(interface));
}

// A query for the family by name makes the kernel load its module (net/netlink/genetlink.c, ctrl_getfamily()).
std::optional<bool> WireguardParameters::is_supported() {
  auto socket = NetlinkSocket::open_generic("");
  uint16_t family = 0;
  return socket && socket.value().find_family(WG_GENL_NAME, family).accepted();
}

Result<> WireguardParameters::read(const std::string& netns, std::vector<InterfaceInfo>& interfaces) {
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
    interface.tunnel = reader.state();
    if (verdict.errno_value == ENODEV) verdict = {};
  }
  if (verdict.accepted()) return Done{};
  return refusal(verdict, "NETLINK_FAILED", "read WireGuard device", netns);
}

}  // namespace crosswire::os

// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cerrno>

#include "os/interface_read.hpp"
#include "os/netns.hpp"

namespace crosswire::os {

namespace {

void put_tunnel(NetlinkMessage& message, const Tunnel& tunnel) {
  const bool v4 = tunnel.local.family == AF_INET;
  message.put_u32(IFLA_VXLAN_ID, tunnel.vni);
  message.put_address(v4 ? IFLA_VXLAN_LOCAL : IFLA_VXLAN_LOCAL6, tunnel.local);
  message.put_address(v4 ? IFLA_VXLAN_GROUP : IFLA_VXLAN_GROUP6, tunnel.remote);
  message.put_u16(IFLA_VXLAN_PORT, htons(tunnel.port));
  message.put_u8(IFLA_VXLAN_LEARNING, 0);  // with a single remote there is nothing to learn, and nothing to be taught
}

// Asked in the caller's own namespace, which becomes that of the UDP socket; the device is born in the other
// (rtnl_newlink_create() in net/core/rtnetlink.c, vxlan_newlink() in drivers/net/vxlan/vxlan_core.c).
Verdict request_device(NetlinkSocket& socket, const VxlanDevice& device, const Fd& target) {
  NetlinkMessage message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, ifinfomsg{});
  message.put_text(IFLA_IFNAME, device.interface.name);
  message.put_mac(IFLA_ADDRESS, device.mac);
  message.put_u32(IFLA_MTU, device.mtu);
  message.put_u32(IFLA_NET_NS_FD, static_cast<uint32_t>(target.get()));
  auto* info = message.open_nest(IFLA_LINKINFO);
  message.put_text(IFLA_INFO_KIND, "vxlan");
  auto* data = message.open_nest(IFLA_INFO_DATA);
  put_tunnel(message, device.tunnel);
  message.close_nest(data);
  message.close_nest(info);
  return socket.request(message);
}

Error creation_error(const Verdict& verdict, const VxlanDevice& device) {
  auto error = refusal(verdict, "TUNNEL_REFUSED", "create VXLAN device", describe(device.interface));
  if (verdict.errno_value == EEXIST) {
    error.reason += "; the kernel has VNI " + std::to_string(device.tunnel.vni) + " at UDP port " +
                    std::to_string(device.tunnel.port) + " once, whatever the remote";
  } else if (verdict.errno_value == EOPNOTSUPP) {
    error.reason += "; the kernel may lack VXLAN: modprobe vxlan";
  }
  return error;
}

std::optional<IpAddress> address_of(const Attributes& data, uint16_t v4, uint16_t v6) {
  auto address = data.address(v4, AF_INET);
  return address ? address : data.address(v6, AF_INET6);
}

}  // namespace

Result<> create_vxlan(const VxlanDevice& device) {
  auto socket = NetlinkSocket::open("");
  if (!socket) return std::move(socket).error();
  auto target = open_namespace_or_own(device.interface.netns);
  if (!target) return std::move(target).error();
  const auto created = request_device(socket.value(), device, target.value());
  if (!created.accepted()) return creation_error(created, device);
  return adopt_interface(device.interface, {device.alias, {}, 0, 0});
}

std::optional<Tunnel> tunnel_of(const Attributes& link) {
  const auto info = link.nest(IFLA_LINKINFO);
  const auto data = info ? info->nest(IFLA_INFO_DATA) : std::nullopt;
  if (!data) return std::nullopt;
  const auto local = address_of(*data, IFLA_VXLAN_LOCAL, IFLA_VXLAN_LOCAL6);
  const auto remote = address_of(*data, IFLA_VXLAN_GROUP, IFLA_VXLAN_GROUP6);
  const auto port = data->u16(IFLA_VXLAN_PORT);
  const auto vni = data->u32(IFLA_VXLAN_ID);
  if (!local || !remote || !port || !vni) return std::nullopt;
  return Tunnel{*local, *remote, ntohs(*port), *vni};
}

}  // namespace crosswire::os

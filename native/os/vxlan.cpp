// SPDX-License-Identifier: Apache-2.0
#include "os/vxlan.hpp"

#include <arpa/inet.h>
#include <linux/if_link.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "os/netlink_message.hpp"

namespace crosswire::os {

namespace {

constexpr uint32_t vlan_tag = 4;
// 65535 less outer IP, UDP, VXLAN and an Ethernet header: the most the device takes (vxlan_config_apply()).
constexpr uint32_t longest_v4 = 65485, longest_v6 = 65465;

std::optional<IpAddress> address_of(const Attributes& data, uint16_t v4, uint16_t v6) {
  auto address = data.address(v4, AF_INET);
  return address ? address : data.address(v6, AF_INET6);
}

}  // namespace

std::string VxlanParameters::describe() const {
  return "VXLAN " + std::to_string(vni) + " from " + to_text(local) + " to " + to_text(remote) + ", UDP port " +
         std::to_string(port);
}

// A packet socket refuses frames longer than the device's MTU and allows for one VLAN tag only (packet_snd()): the
// MTU makes room for the second.
uint32_t VxlanParameters::port_mtu(uint32_t mtu) const {
  return std::min(mtu + vlan_tag, local.family == AF_INET ? longest_v4 : longest_v6);
}

void VxlanParameters::put(NetlinkMessage& message) const {
  const bool v4 = local.family == AF_INET;
  auto* data = message.open_nest(IFLA_INFO_DATA);
  message.put_u32(IFLA_VXLAN_ID, vni);
  message.put_address(v4 ? IFLA_VXLAN_LOCAL : IFLA_VXLAN_LOCAL6, local);
  message.put_address(v4 ? IFLA_VXLAN_GROUP : IFLA_VXLAN_GROUP6, remote);
  message.put_u16(IFLA_VXLAN_PORT, htons(port));
  message.put_u8(IFLA_VXLAN_LEARNING, 0);  // there is a single remote: nobody may redirect frames to another
  message.close_nest(data);
}

std::string VxlanParameters::advice(int errno_value) const {
  if (errno_value != EEXIST) return {};
  return "the kernel has VNI " + std::to_string(vni) + " at UDP port " + std::to_string(port) +
         " once, whatever the remote";
}

std::optional<VxlanParameters> VxlanParameters::read_link(const Attributes& link) {
  const auto info = link.nest(IFLA_LINKINFO);
  const auto data = info ? info->nest(IFLA_INFO_DATA) : std::nullopt;
  if (!data) return std::nullopt;
  const auto local = address_of(*data, IFLA_VXLAN_LOCAL, IFLA_VXLAN_LOCAL6);
  const auto remote = address_of(*data, IFLA_VXLAN_GROUP, IFLA_VXLAN_GROUP6);
  const auto port = data->u16(IFLA_VXLAN_PORT);
  const auto vni = data->u32(IFLA_VXLAN_ID);
  if (!local || !remote || !port || !vni) return std::nullopt;
  return VxlanParameters{*local, *remote, ntohs(*port), *vni};
}

}  // namespace crosswire::os

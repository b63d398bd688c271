// SPDX-License-Identifier: Apache-2.0
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "os/interface_read.hpp"
#include "os/vlan.hpp"

namespace crosswire::os {

namespace {

// IFLA_LINK is an index in the namespace of the lower device, which is the process's own if the forwarder made it.
void complete(NetlinkSocket& own, InterfaceInfo& interface) {
  auto& uplink = *interface.uplink;
  if (interface.kind == "macvlan") {
    const auto device = read_link(own, uplink.lower);
    if (device) uplink.device = device.value().name;
    return;
  }
  const auto below = read_link(own, uplink.lower);
  if (!below || below.value().kind != "macvlan" || !below.value().uplink) return;
  if (below.value().alias != interface.alias + uplink_suffix) return;  // an unrelated device with the same index
  uplink.name = below.value().name;
  uplink.mac = below.value().mac;
  const auto device = read_link(own, below.value().uplink->lower);
  if (!device) return;
  uplink.device = device.value().name;
  uplink.sound = below.value().uplink->sound && below.value().up && below.value().mtu == device.value().mtu;
}

}  // namespace

std::optional<Uplink> uplink_of(const Attributes& link, const std::string& kind) {
  if (kind != "vlan" && kind != "macvlan") return std::nullopt;
  const auto info = link.nest(IFLA_LINKINFO);
  const auto data = info ? info->nest(IFLA_INFO_DATA) : std::nullopt;
  const auto lower = link.u32(IFLA_LINK);
  if (!data || !lower) return std::nullopt;
  Uplink uplink;
  uplink.lower = *lower;
  if (kind == "vlan") {
    uplink.id = data->u16(IFLA_VLAN_ID).value_or(0);
  } else {
    uplink.sound = data->u32(IFLA_MACVLAN_MODE) == MACVLAN_MODE_PRIVATE;
  }
  return uplink;
}

Result<> read_uplinks(std::vector<InterfaceInfo>& interfaces) {
  std::optional<NetlinkSocket> own;
  for (auto& interface : interfaces) {
    if (!interface.uplink) continue;
    if (!own) {
      auto socket = NetlinkSocket::open("");
      if (!socket) return std::move(socket).error();
      own = std::move(socket).value();
    }
    complete(*own, interface);
  }
  return Done{};
}

}  // namespace crosswire::os

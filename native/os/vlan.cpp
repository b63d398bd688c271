// SPDX-License-Identifier: Apache-2.0
#include "os/vlan.hpp"

#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <cerrno>
#include <tuple>

#include "os/interface_read.hpp"
#include "os/netns.hpp"
#include "os/sysctl.hpp"

namespace crosswire::os {

namespace {

constexpr const char* operation = "share host device";

std::string uplink_alias(const VlanDevice& device) { return device.alias + uplink_suffix; }

std::string subject_of(const VlanDevice& device) { return device.device + " as " + describe(device.interface); }

Error refused(const Verdict& verdict, const VlanDevice& device) {
  auto error = refusal(verdict, "HOST_DEVICE_REFUSED", operation, subject_of(device));
  if (verdict.errno_value == EBUSY) {
    error.reason += "; it is part of a bridge, a bond or the like: share that one instead";
  } else if (verdict.errno_value == EADDRINUSE) {
    error.reason += "; something else at the device has the MAC address " + to_text(device.mac);
  } else if (verdict.errno_value == EOPNOTSUPP) {
    error.reason += "; the kernel may lack macvlan or VLANs: modprobe macvlan 8021q";
  }
  return error;
}

Result<uint32_t> find_device(NetlinkSocket& own, const VlanDevice& device) {
  const auto found = read_link(own, {"", device.device});
  if (found) return found.value().index;
  auto error = found.error();
  if (error.code == "INTERFACE_MISSING") error.code = "HOST_DEVICE_MISSING";
  error.operation = operation;
  return error;
}

// A VLAN device of the host, directly above the host device, takes all frames of its id before a macvlan sees them
// (__netif_receive_skb_core() in net/core/dev.c).
Result<> refuse_host_vlan(NetlinkSocket& own, const VlanDevice& device, uint32_t index) {
  NetlinkMessage message(RTM_GETLINK, 0, ifinfomsg{});
  auto* info = message.open_nest(IFLA_LINKINFO);
  message.put_text(IFLA_INFO_KIND, "vlan");
  message.close_nest(info);
  std::string found;
  const auto verdict = own.dump(
      message, [&] { found.clear(); },
      [&](const nlmsghdr* answer) {
        const Attributes link(answer, sizeof(ifinfomsg));
        const auto nest = link.nest(IFLA_LINKINFO);
        if (!nest || nest->text(IFLA_INFO_KIND) != "vlan") return;  // kernels before 4.20 do not filter
        const auto uplink = uplink_of(link, "vlan");
        const bool here = link.find(IFLA_LINK_NETNSID) == nullptr;
        if (here && uplink && uplink->lower == index && uplink->id == device.id) found = link.text(IFLA_IFNAME);
      });
  // A kernel without VLAN support has no such devices (the filter fails with EOPNOTSUPP).
  if (!verdict.accepted() && verdict.errno_value != EOPNOTSUPP) return refused(verdict, device);
  if (found.empty()) return Done{};
  return Error{"HOST_DEVICE_REFUSED", operation, subject_of(device),
               "the host has VLAN " + std::to_string(device.id) + " of it as " + found +
                   ", which takes all of its frames: share that device instead, with id 0",
               0};
}

Verdict remove_at(NetlinkSocket& own, uint32_t index) {
  ifinfomsg header{};
  header.ifi_index = static_cast<int>(index);
  NetlinkMessage message(RTM_DELLINK, 0, header);
  return own.request(message);
}

// The macvlan of an interrupted attempt. It may have no mark yet.
Result<> remove_leftover(NetlinkSocket& own, const VlanDevice& device) {
  const auto found = read_link(own, {"", device.uplink});
  if (!found) return Done{};
  const auto& [index, alias, kind] = std::tie(found.value().index, found.value().alias, found.value().kind);
  if (kind != "macvlan" || (!alias.empty() && alias != uplink_alias(device))) {
    return Error{"INTERFACE_EXISTS", operation, device.uplink, "an interface of this name is there and is not ours", 0};
  }
  const auto removed = remove_at(own, index);
  return removed.accepted() ? Result<>(Done{}) : refused(removed, device);
}

struct Birth {
  std::string name;
  uint32_t lower = 0;
  const Fd* target = nullptr;  // null: in the process's own namespace
};

// Neighbour requests are answered by the interface of the workload: a macvlan below a VLAN device must not answer them
// for the host, so it has no ARP.
Verdict make_macvlan(NetlinkSocket& own, const VlanDevice& device, const Birth& birth) {
  ifinfomsg header{};
  const bool below = birth.target == nullptr;
  header.ifi_flags = below ? IFF_NOARP : 0U;
  header.ifi_change = below ? IFF_NOARP : 0U;
  NetlinkMessage message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, header);
  message.put_text(IFLA_IFNAME, birth.name);
  message.put_mac(IFLA_ADDRESS, device.mac);
  message.put_u32(IFLA_LINK, birth.lower);
  if (!below) message.put_u32(IFLA_MTU, device.mtu);
  if (!below) message.put_u32(IFLA_NET_NS_FD, static_cast<uint32_t>(birth.target->get()));
  auto* info = message.open_nest(IFLA_LINKINFO);
  message.put_text(IFLA_INFO_KIND, "macvlan");
  auto* data = message.open_nest(IFLA_INFO_DATA);
  message.put_u32(IFLA_MACVLAN_MODE, MACVLAN_MODE_PRIVATE);
  message.close_nest(data);
  message.close_nest(info);
  return own.request(message);
}

// Gets no MAC address, so that it takes that of the macvlan below. Switches ARP on, which a VLAN device copies from
// below as off.
Verdict make_vlan(NetlinkSocket& own, const VlanDevice& device, const Birth& birth) {
  ifinfomsg header{};
  header.ifi_change = IFF_NOARP;
  NetlinkMessage message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, header);
  message.put_text(IFLA_IFNAME, birth.name);
  message.put_u32(IFLA_LINK, birth.lower);
  message.put_u32(IFLA_MTU, device.mtu);
  message.put_u32(IFLA_NET_NS_FD, static_cast<uint32_t>(birth.target->get()));
  auto* info = message.open_nest(IFLA_LINKINFO);
  message.put_text(IFLA_INFO_KIND, "vlan");
  auto* data = message.open_nest(IFLA_INFO_DATA);
  message.put_u16(IFLA_VLAN_ID, device.id);
  message.close_nest(data);
  message.close_nest(info);
  return own.request(message);
}

// The macvlan goes up before a VLAN device is above it: one that exists would go up together with it
// (vlan_device_event()).
Verdict mark_and_raise(NetlinkSocket& own, const VlanDevice& device, uint32_t index) {
  ifinfomsg header{};
  header.ifi_index = static_cast<int>(index);
  header.ifi_flags = header.ifi_change = IFF_UP;
  NetlinkMessage message(RTM_SETLINK, 0, header);
  message.put_text(IFLA_IFALIAS, uplink_alias(device));
  return own.request(message);
}

Result<> make_tagged(NetlinkSocket& own, const VlanDevice& device, uint32_t lower, const Fd& target) {
  auto free = refuse_host_vlan(own, device, lower);
  if (free) free = remove_leftover(own, device);
  if (!free) return free;
  const auto made = make_macvlan(own, device, {device.uplink, lower, nullptr});
  if (!made.accepted()) return refused(made, device);
  const auto uplink = read_link(own, {"", device.uplink});
  if (!uplink) return uplink.error();
  const auto index = uplink.value().index;
  auto done = close_to_stack(device.uplink);
  if (done) {
    auto verdict = mark_and_raise(own, device, index);
    if (verdict.accepted()) verdict = make_vlan(own, device, {device.interface.name, index, &target});
    if (!verdict.accepted()) done = refused(verdict, device);
  }
  if (done) done = adopt_interface(device.interface, {device.alias, {}, 0, 0});
  if (!done) (void)remove_at(own, index);  // deletes the VLAN device above it, too
  return done;
}

}  // namespace

Result<> create_vlan(const VlanDevice& device) {
  auto socket = NetlinkSocket::open("");
  if (!socket) return std::move(socket).error();
  auto& own = socket.value();
  auto target = open_namespace_or_own(device.interface.netns);
  if (!target) return std::move(target).error();
  const auto lower = find_device(own, device);
  if (!lower) return lower.error();
  if (device.id != 0) return make_tagged(own, device, lower.value(), target.value());
  const auto made = make_macvlan(own, device, {device.interface.name, lower.value(), &target.value()});
  if (!made.accepted()) return refused(made, device);
  return adopt_interface(device.interface, {device.alias, {}, 0, 0});
}

}  // namespace crosswire::os

// SPDX-License-Identifier: Apache-2.0
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "os/interface_read.hpp"
#include "os/tunnel.hpp"
#include "os/vlan.hpp"

namespace crosswire::os {

namespace {

std::string kind_of(const Attributes& attributes) {
  const auto info = attributes.nest(IFLA_LINKINFO);
  if (!info) return {};
  const auto kind = info->text(IFLA_INFO_KIND);
  if (kind != "tun") return kind;
  const auto data = info->nest(IFLA_INFO_DATA);
  return data && data->u8(IFLA_TUN_TYPE) == IFF_TAP ? "tap" : "tun";
}

std::string device_of(const Attributes& attributes) {
  return attributes.text(IFLA_PARENT_DEV_BUS_NAME) == "pci" ? attributes.text(IFLA_PARENT_DEV_NAME) : std::string();
}

InterfaceInfo link_of(const nlmsghdr* answer) {
  const auto* header = reinterpret_cast<const ifinfomsg*>(payload_of(answer));
  const Attributes attributes(answer, sizeof *header);
  InterfaceInfo link;
  link.index = static_cast<uint32_t>(header->ifi_index);
  link.name = attributes.text(IFLA_IFNAME);
  link.alias = attributes.text(IFLA_IFALIAS);
  link.kind = kind_of(attributes);
  link.device = device_of(attributes);
  link.tunnel = tunnel_of(attributes, link.kind);
  link.uplink = uplink_of(attributes, link.kind);
  link.mac = attributes.mac(IFLA_ADDRESS);
  link.mtu = attributes.u32(IFLA_MTU).value_or(0);
  link.transmit_queue_length = attributes.u32(IFLA_TXQLEN).value_or(0);
  link.up = (header->ifi_flags & IFF_UP) != 0;
  link.running = (header->ifi_flags & IFF_LOWER_UP) != 0;
  link.statistics = statistics_of(attributes.find(IFLA_STATS64)).value_or(InterfaceStatistics{});
  return link;
}

Result<InterfaceInfo> request_link(NetlinkSocket& socket, NetlinkMessage& message, const std::string& subject) {
  InterfaceInfo link;
  const auto verdict = socket.request(message, [&](const nlmsghdr* answer) {
    if (answer->nlmsg_type == RTM_NEWLINK) link = link_of(answer);
  });
  if (verdict.accepted()) return link;
  return refusal(verdict, "NETLINK_FAILED", "read interface", subject);
}

}  // namespace

std::optional<InterfaceStatistics> statistics_of(const nlattr* attribute) {
  // The fields that are read come first in every version of the structure.
  constexpr size_t needed = offsetof(rtnl_link_stats64, multicast);
  if (attribute == nullptr || payload_size(attribute) < needed) return std::nullopt;
  rtnl_link_stats64 stats{};
  std::memcpy(&stats, payload_of(attribute), needed);  // its alignment is only 4
  return InterfaceStatistics{stats.rx_packets, stats.tx_packets, stats.rx_bytes,   stats.tx_bytes,
                             stats.rx_errors,  stats.tx_errors,  stats.rx_dropped, stats.tx_dropped};
}

std::string describe(const InterfaceReference& interface) {
  return interface.netns.empty() ? interface.name : interface.name + " in " + interface.netns;
}

Result<InterfaceInfo> read_link(NetlinkSocket& socket, const InterfaceReference& interface) {
  NetlinkMessage message(RTM_GETLINK, 0, ifinfomsg{});
  message.put_text(IFLA_IFNAME, interface.name);
  return request_link(socket, message, describe(interface));
}

Result<InterfaceInfo> read_link(NetlinkSocket& socket, uint32_t index) {
  ifinfomsg header{};
  header.ifi_index = static_cast<int>(index);
  NetlinkMessage message(RTM_GETLINK, 0, header);
  return request_link(socket, message, "interface " + std::to_string(index));
}

Result<InterfaceInfo> read_own_link(NetlinkSocket& socket, const InterfaceReference& interface,
                                    const std::string& alias, const char* operation) {
  auto link = read_link(socket, interface);
  if (!link) {
    link.error().operation = operation;
  } else if (link.value().alias != alias) {
    return Error{"INTERFACE_NOT_OURS", operation, describe(interface),
                 "its alias is '" + link.value().alias + "', not '" + alias + "'", 0};
  }
  return link;
}

Result<std::vector<InterfaceInfo>> read_links(NetlinkSocket& socket, const std::string& netns,
                                              const LinkFilter& wanted) {
  NetlinkMessage message(RTM_GETLINK, 0, ifinfomsg{});
  std::vector<InterfaceInfo> links;
  const auto verdict = socket.dump(
      message, [&] { links.clear(); },
      [&](const nlmsghdr* answer) {
        if (answer->nlmsg_type != RTM_NEWLINK) return;
        auto link = link_of(answer);
        if (wanted(link)) links.push_back(std::move(link));
      });
  if (verdict.accepted()) return links;
  return refusal(verdict, "NETLINK_FAILED", "list interfaces", netns);
}

}  // namespace crosswire::os

// SPDX-License-Identifier: Apache-2.0
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cerrno>
#include <initializer_list>
#include <unordered_map>

#include "os/interface_read.hpp"

namespace crosswire::os {

namespace {

uint8_t family_of(const IpPrefix& address) { return address.address.family; }
uint8_t family_of(const Route& route) { return route.to.address.family; }
uint8_t family_of(const Neighbour& neighbour) { return neighbour.address.family; }

// The interfaces being filled in, by index.
class Wanted {
 public:
  explicit Wanted(std::vector<InterfaceInfo>& interfaces) {
    for (auto& interface : interfaces) by_index_[interface.index] = &interface;
  }
  InterfaceInfo* find(uint32_t index) const {
    const auto found = by_index_.find(index);
    return found == by_index_.end() ? nullptr : found->second;
  }
  // For the kernel's filter, which takes a single index; 0: no filter.
  uint32_t only_index() const { return by_index_.size() == 1 ? by_index_.begin()->first : 0; }
  template <class Member>
  void forget(Member member, uint8_t family) const {
    for (const auto& [index, interface] : by_index_) {
      std::erase_if(interface->*member, [&](const auto& item) { return family_of(item) == family; });
    }
  }

 private:
  std::unordered_map<uint32_t, InterfaceInfo*> by_index_;
};

void keep_address(const Wanted& wanted, const nlmsghdr* answer) {
  if (answer->nlmsg_type != RTM_NEWADDR) return;
  const auto* header = reinterpret_cast<const ifaddrmsg*>(payload_of(answer));
  auto* interface = wanted.find(header->ifa_index);
  const Attributes attributes(answer, sizeof *header);
  // IFA_LOCAL is the interface's own; IPv6 leaves it out where it equals IFA_ADDRESS (linux/if_addr.h).
  auto address = attributes.address(IFA_LOCAL, header->ifa_family);
  if (!address) address = attributes.address(IFA_ADDRESS, header->ifa_family);
  if (interface == nullptr || !address || is_link_local(*address)) return;
  interface->addresses.push_back({*address, header->ifa_prefixlen});
}

void keep_route(const Wanted& wanted, const nlmsghdr* answer) {
  if (answer->nlmsg_type != RTM_NEWROUTE) return;
  const auto* header = reinterpret_cast<const rtmsg*>(payload_of(answer));
  const Attributes attributes(answer, sizeof *header);
  auto* interface = wanted.find(attributes.u32(RTA_OIF).value_or(0));
  if (interface == nullptr || header->rtm_protocol != routing_protocol || header->rtm_type != RTN_UNICAST) return;
  // A default route has no RTA_DST.
  const auto to = attributes.address(RTA_DST, header->rtm_family).value_or(IpAddress{header->rtm_family, {}});
  interface->routes.push_back({{to, header->rtm_dst_len}, attributes.address(RTA_GATEWAY, header->rtm_family)});
}

void keep_neighbour(const Wanted& wanted, const nlmsghdr* answer) {
  if (answer->nlmsg_type != RTM_NEWNEIGH) return;
  const auto* header = reinterpret_cast<const ndmsg*>(payload_of(answer));
  auto* interface = wanted.find(static_cast<uint32_t>(header->ndm_ifindex));
  const Attributes attributes(answer, sizeof *header);
  const auto address = attributes.address(NDA_DST, header->ndm_family);
  const auto mac = attributes.mac(NDA_LLADDR);
  if (interface == nullptr || (header->ndm_state & NUD_PERMANENT) == 0 || !address || !mac) return;
  interface->neighbours.push_back({*address, *mac});
}

Verdict dump_addresses(NetlinkSocket& socket, const Wanted& wanted, uint8_t family) {
  ifaddrmsg header{};
  header.ifa_family = family;
  header.ifa_index = wanted.only_index();
  NetlinkMessage message(RTM_GETADDR, 0, header);
  return socket.dump(
      message, [&] { wanted.forget(&InterfaceInfo::addresses, family); },
      [&](const nlmsghdr* answer) { keep_address(wanted, answer); });
}

Verdict dump_routes_in(NetlinkSocket& socket, const Wanted& wanted, uint8_t family, uint32_t table) {
  rtmsg header{};
  header.rtm_family = family;
  header.rtm_protocol = routing_protocol;
  NetlinkMessage message(RTM_GETROUTE, 0, header);
  message.put_u32(RTA_TABLE, table);
  if (wanted.only_index() != 0) message.put_u32(RTA_OIF, wanted.only_index());
  auto verdict = socket.dump(
      message, [&] { wanted.forget(&InterfaceInfo::routes, family); },
      [&](const nlmsghdr* answer) { keep_route(wanted, answer); });
  if (verdict.errno_value == ENOENT) return {};  // there never was a route in this table
  return verdict;
}

// Our routes are in the main table, except those of policies. The local table has several entries for each address.
Verdict dump_routes(NetlinkSocket& socket, const Wanted& wanted, uint8_t family) {
  return dump_routes_in(socket, wanted, family, RT_TABLE_MAIN);
}

Verdict dump_neighbours(NetlinkSocket& socket, const Wanted& wanted, uint8_t family) {
  ndmsg header{};
  header.ndm_family = family;
  NetlinkMessage message(RTM_GETNEIGH, 0, header);
  if (wanted.only_index() != 0) message.put_u32(NDA_IFINDEX, wanted.only_index());
  return socket.dump(
      message, [&] { wanted.forget(&InterfaceInfo::neighbours, family); },
      [&](const nlmsghdr* answer) { keep_neighbour(wanted, answer); });
}

using Dump = Verdict (*)(NetlinkSocket&, const Wanted&, uint8_t family);

Result<> read(NetlinkSocket& socket, const std::string& netns, std::vector<InterfaceInfo>& interfaces,
              std::initializer_list<Dump> dumps) {
  if (interfaces.empty()) return Done{};
  const Wanted wanted(interfaces);
  for (const uint8_t family : {AF_INET, AF_INET6}) {
    for (const auto dump : dumps) {
      const auto verdict = dump(socket, wanted, family);
      if (verdict.accepted()) continue;
      if (family == AF_INET6 && verdict.errno_value == EOPNOTSUPP) break;  // a kernel without IPv6
      return refusal(verdict, "NETLINK_FAILED", "read addresses, routes and neighbours", netns);
    }
  }
  return Done{};
}

}  // namespace

Result<> read_addresses(NetlinkSocket& socket, const std::string& netns, std::vector<InterfaceInfo>& interfaces) {
  return read(socket, netns, interfaces, {dump_addresses});
}

Result<std::vector<Route>> read_routes_of(NetlinkSocket& socket, const std::string& netns, uint32_t index,
                                          uint32_t table) {
  std::vector<InterfaceInfo> interfaces(1);
  interfaces.front().index = index;
  const Wanted wanted(interfaces);
  for (const uint8_t family : {AF_INET, AF_INET6}) {
    const auto verdict = dump_routes_in(socket, wanted, family, table);
    if (family == AF_INET6 && verdict.errno_value == EOPNOTSUPP) continue;  // a kernel without IPv6
    if (!verdict.accepted()) return refusal(verdict, "NETLINK_FAILED", "read a routing table", netns);
  }
  return std::move(interfaces.front().routes);
}

Result<> read_details(NetlinkSocket& socket, const std::string& netns, std::vector<InterfaceInfo>& interfaces) {
  return read(socket, netns, interfaces, {dump_addresses, dump_routes, dump_neighbours});
}

}  // namespace crosswire::os

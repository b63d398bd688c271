// SPDX-License-Identifier: Apache-2.0
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "os/interface_edit.hpp"

namespace crosswire::os {

namespace {

Verdict request_route(InterfaceEdit& edit, uint16_t type, uint16_t flags, const Route& route,
                      uint32_t table = RT_TABLE_MAIN) {
  rtmsg header{};
  header.rtm_family = route.to.address.family;
  header.rtm_dst_len = route.to.length;
  header.rtm_table = table < 256 ? static_cast<uint8_t>(table) : RT_TABLE_UNSPEC;
  // Beside the main table, whose routes lead to gateways: taken to be on the link.
  if (table != RT_TABLE_MAIN && route.via && type == RTM_NEWROUTE) header.rtm_flags = RTNH_F_ONLINK;
  header.rtm_protocol = routing_protocol;  // for a removal: only ours
  header.rtm_type = RTN_UNICAST;
  const bool direct = header.rtm_family == AF_INET && !route.via;
  header.rtm_scope = direct ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
  if (type == RTM_DELROUTE) header.rtm_scope = RT_SCOPE_NOWHERE;  // any
  NetlinkMessage message(type, flags, header);
  message.put_u32(RTA_TABLE, table);
  if (route.to.length > 0) message.put_address(RTA_DST, route.to.address);
  if (route.via) message.put_address(RTA_GATEWAY, *route.via);
  message.put_u32(RTA_OIF, static_cast<uint32_t>(edit.index()));
  return edit.socket.request(message);
}

// Never NLM_F_REPLACE: it would replace somebody else's route to the same destination.
Verdict request_new_route(InterfaceEdit& edit, const Route& route) {
  return request_route(edit, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, route);
}

std::string name_of(const Route& route) { return to_text(route.to) + (route.via ? " via " + to_text(*route.via) : ""); }

// EEXIST says only that there is a route to the same destination.
Result<bool> has_route(InterfaceEdit& edit, const Route& route) {
  std::vector<InterfaceInfo> now(1);
  now.front().index = edit.before.index;
  auto read = read_details(edit.socket, edit.interface.netns, now);
  if (!read) return std::move(read).error();
  const Route kept{network_of(route.to), route.via};
  const auto& routes = now.front().routes;
  return std::find(routes.begin(), routes.end(), kept) != routes.end();
}

}  // namespace

Verdict request_table_route(InterfaceEdit& edit, uint16_t type, const Route& route, uint32_t table) {
  auto verdict = request_route(edit, type, type == RTM_NEWROUTE ? NLM_F_CREATE | NLM_F_REPLACE : 0, route, table);
  if (type == RTM_DELROUTE && verdict.errno_value == ESRCH) return {};
  return verdict;
}

Result<> add_route(InterfaceEdit& edit, const Route& route) {
  auto verdict = request_new_route(edit, route);
  if (verdict.errno_value == EEXIST) {
    auto there = has_route(edit, route);
    if (!there) return std::move(there).error();
    if (there.value()) return Done{};
    verdict.text += "; another route to the same destination is there and not ours to replace";
  }
  if (!verdict.accepted()) {
    return refusal(verdict, "ROUTE_REFUSED", "add route " + name_of(route), describe(edit.interface));
  }
  edit.undo.push_back([&edit, route] { (void)request_route(edit, RTM_DELROUTE, 0, route); });
  return Done{};
}

Result<> remove_route(InterfaceEdit& edit, const Route& route) {
  const auto verdict = request_route(edit, RTM_DELROUTE, 0, route);
  if (verdict.errno_value == ESRCH) return Done{};
  if (!verdict.accepted()) {
    return refusal(verdict, "ROUTE_REFUSED", "remove route " + name_of(route), describe(edit.interface));
  }
  edit.undo.push_back([&edit, route] { (void)request_new_route(edit, route); });
  return Done{};
}

}  // namespace crosswire::os

// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "os/interface_read.hpp"
#include "os/policy.hpp"
#include "os/sysctl.hpp"
#include "os/tunnel.hpp"
#include "os/vlan.hpp"

namespace crosswire::os {

namespace {

Result<std::vector<InterfaceInfo>> read_named(NetlinkSocket& socket, const InterfaceQuery& query) {
  std::vector<InterfaceInfo> links;
  for (const auto& name : query.names) {
    auto link = read_link(socket, {query.netns, name});
    if (link) {
      links.push_back(std::move(link).value());
    } else if (link.error().code != "INTERFACE_MISSING") {
      return std::move(link).error();
    }
  }
  return links;
}

Result<std::vector<InterfaceInfo>> read_matching(NetlinkSocket& socket, const InterfaceQuery& query) {
  if (!query.alias_prefix) return read_named(socket, query);
  return read_links(socket, query.netns, [&](const InterfaceInfo& link) {
    return link.alias.starts_with(*query.alias_prefix) ||
           std::find(query.names.begin(), query.names.end(), link.name) != query.names.end();
  });
}

}  // namespace

Result<std::vector<InterfaceInfo>> list_interfaces(const InterfaceQuery& query) {
  auto socket = NetlinkSocket::open(query.netns);
  if (!socket) return std::move(socket).error();
  auto links = read_matching(socket.value(), query);
  if (!links) return links;
  auto beyond = read_uplinks(links.value());
  if (beyond) beyond = read_tunnels(query.netns, links.value());
  if (!beyond) return std::move(beyond).error();
  if (!query.details) return links;
  auto details = read_details(socket.value(), query.netns, links.value());
  if (details) details = read_policies(socket.value(), query.netns, links.value());
  if (details) details = read_ping(query.netns, links.value());
  if (!details) return std::move(details).error();
  return links;
}

}  // namespace crosswire::os

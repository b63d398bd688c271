// SPDX-License-Identifier: Apache-2.0
// Reading interfaces over an open socket. Private to os/interface_*.cpp.
#pragma once

#include <functional>

#include "os/interface.hpp"
#include "os/netlink.hpp"

namespace crosswire::os {

// "nsm-1 in /run/netns/web"
std::string describe(const InterfaceReference& interface);

// Link facts and statistics only. Errors: INTERFACE_MISSING, NETLINK_FAILED.
Result<InterfaceInfo> read_link(NetlinkSocket& socket, const InterfaceReference& interface);
Result<InterfaceInfo> read_link(NetlinkSocket& socket, uint32_t index);
// The same, and INTERFACE_NOT_OURS if its alias is another.
Result<InterfaceInfo> read_own_link(NetlinkSocket& socket, const InterfaceReference& interface,
                                    const std::string& alias, const char* operation);
using LinkFilter = std::function<bool(const InterfaceInfo&)>;
Result<std::vector<InterfaceInfo>> read_links(NetlinkSocket& socket, const std::string& netns,
                                              const LinkFilter& wanted);

// Of an IFLA_STATS64 or IFLA_STATS_LINK_64, which are the same structure.
std::optional<InterfaceStatistics> statistics_of(const nlattr* attribute);

// Addresses of these interfaces, which are all of one namespace. For a single interface, the kernel reads no other.
Result<> read_addresses(NetlinkSocket& socket, const std::string& netns, std::vector<InterfaceInfo>& interfaces);
// Routes of ours through the interface, in a table other than the main one.
Result<std::vector<Route>> read_routes_of(NetlinkSocket& socket, const std::string& netns, uint32_t index,
                                          uint32_t table);
// Addresses, routes and neighbours of these interfaces, which are all of one namespace.
Result<> read_details(NetlinkSocket& socket, const std::string& netns, std::vector<InterfaceInfo>& interfaces);

}  // namespace crosswire::os

// SPDX-License-Identifier: Apache-2.0
// Policy routing of our interfaces: a routing table for each policy, and a rule that leads to it (ip-rule(8)). A rule
// does not belong to an interface and outlives it, so the number of its table encodes the interface. Private to
// os/interface_*.cpp.
#pragma once

#include <cstdint>
#include <vector>

#include "os/interface.hpp"
#include "os/netlink.hpp"

namespace crosswire::os {

// Tables 0xC7000000 to 0xC7FFFFFF: unassigned in iproute2's rt_tables, and far from the small numbers that people
// choose. Six bits number the policy, the others are the interface's index, which the kernel never reuses.
inline constexpr uint32_t first_table = 0xC7000000;
inline constexpr uint32_t policies_per_interface = 64;

inline constexpr uint32_t table_of(uint32_t index, uint32_t slot) {
  return first_table | (index << 6 & 0x00FFFFC0) | (slot & 0x3F);
}

// One of our rules, as read from the kernel.
struct Rule {
  uint8_t family = 0;
  uint32_t table = 0;
  PolicyMatch match;
  bool operator==(const Rule&) const = default;
};

// All our rules in the namespace; none if the kernel has no policy routing.
Result<std::vector<Rule>> read_rules(NetlinkSocket& socket, const std::string& netns);
bool belongs_to(const Rule& rule, uint32_t index);

Verdict request_rule(NetlinkSocket& socket, uint16_t type, const Rule& rule);

// The address families in which a policy needs a rule: that of `from`, or those of its routes.
std::vector<uint8_t> families_of(const Policy& policy);

// Fills in the policies of these interfaces, which are all of one namespace. A policy that lacks a rule is left out.
Result<> read_policies(NetlinkSocket& socket, const std::string& netns, std::vector<InterfaceInfo>& interfaces);

// Removes our rules of interfaces that do not exist any more, and those of the interface `leaving` (0: none).
void sweep_rules(NetlinkSocket& socket, const std::string& netns, uint32_t leaving);

}  // namespace crosswire::os

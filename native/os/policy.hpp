// SPDX-License-Identifier: Apache-2.0
// Policy routing of an interface of ours: a routing table for each policy, and a rule that leads to it (ip-rule(8)). A
// rule does not belong to an interface and outlives it, so the number of its table tells whose it is. Private to
// os/interface_*.cpp.
#pragma once

#include <cstdint>
#include <vector>

#include "os/interface.hpp"
#include "os/netlink.hpp"

namespace crosswire::os {

// Tables 0xC7000000 to 0xC7FFFFFF: nobody's by iproute2's rt_tables, and far from the small numbers that people choose.
// Six bits are the policy's, the others the interface's index, which the kernel gives out once.
inline constexpr uint32_t first_table = 0xC7000000;
inline constexpr uint32_t policies_per_interface = 64;

inline constexpr uint32_t table_of(uint32_t index, uint32_t slot) {
  return first_table | (index << 6 & 0x00FFFFC0) | (slot & 0x3F);
}

// One rule of ours as it is in the kernel.
struct Rule {
  uint8_t family = 0;
  uint32_t table = 0;
  PolicyMatch match;
  bool operator==(const Rule&) const = default;
};

// All of ours in the namespace; none where the kernel has no policy routing.
Result<std::vector<Rule>> read_rules(NetlinkSocket& socket, const std::string& netns);
bool belongs_to(const Rule& rule, uint32_t index);

Verdict request_rule(NetlinkSocket& socket, uint16_t type, const Rule& rule);

// By which families a policy needs a rule: that of `from`, or those of its routes.
std::vector<uint8_t> families_of(const Policy& policy);

// Of these interfaces, which are all of one namespace. A policy that lacks a rule is left out.
Result<> read_policies(NetlinkSocket& socket, const std::string& netns, std::vector<InterfaceInfo>& interfaces);

// Removes rules of ours that lead to interfaces that are gone, and those of the interface `leaving` (0: none).
void sweep_rules(NetlinkSocket& socket, const std::string& netns, uint32_t leaving);

}  // namespace crosswire::os

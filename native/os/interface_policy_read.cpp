// SPDX-License-Identifier: Apache-2.0
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <map>

#include "os/interface_read.hpp"
#include "os/policy.hpp"

namespace crosswire::os {

namespace {

Result<std::vector<Policy>> policies_of(NetlinkSocket& socket, const std::string& netns, const std::vector<Rule>& rules,
                                        uint32_t index) {
  std::map<uint32_t, std::vector<Rule>> by_table;
  for (const auto& rule : rules) {
    if (belongs_to(rule, index)) by_table[rule.table].push_back(rule);
  }
  std::vector<Policy> policies;
  for (const auto& [table, its_rules] : by_table) {
    Policy policy{its_rules.front().match, {}};
    auto routes = read_routes_of(socket, netns, index, table);
    if (!routes) return std::move(routes).error();
    policy.routes = std::move(routes).value();
    const bool whole = std::ranges::all_of(families_of(policy), [&](uint8_t family) {
      return std::ranges::count(its_rules, Rule{family, table, policy.match}) == 1;
    });
    if (whole) policies.push_back(std::move(policy));
  }
  return policies;
}

}  // namespace

std::vector<uint8_t> families_of(const Policy& policy) {
  if (policy.match.from) return {policy.match.from->address.family};
  std::vector<uint8_t> families;
  for (const uint8_t family : {AF_INET, AF_INET6}) {
    const auto is_of = [&](const Route& route) { return route.to.address.family == family; };
    if (std::ranges::any_of(policy.routes, is_of)) families.push_back(family);
  }
  return families;
}

Result<> read_policies(NetlinkSocket& socket, const std::string& netns, std::vector<InterfaceInfo>& interfaces) {
  if (interfaces.empty()) return Done{};
  const auto rules = read_rules(socket, netns);
  if (!rules) return rules.error();
  if (rules.value().empty()) return Done{};
  for (auto& interface : interfaces) {
    auto policies = policies_of(socket, netns, rules.value(), interface.index);
    if (!policies) return std::move(policies).error();
    interface.policies = std::move(policies).value();
  }
  return Done{};
}

}  // namespace crosswire::os

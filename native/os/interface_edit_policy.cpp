// SPDX-License-Identifier: Apache-2.0
#include <linux/rtnetlink.h>

#include <algorithm>

#include "os/interface_edit.hpp"
#include "os/policy.hpp"

namespace crosswire::os {

namespace {

// A policy with its table: what is there, and what is wanted of it.
struct Tabled {
  uint32_t table;
  Policy policy;
};

std::string name_of(const Policy& policy) {
  const auto& [from, protocol, destination, source] = policy.match;
  std::string text = "policy from " + (from ? to_text(*from) : "all");
  if (protocol != 0) text += " protocol " + std::to_string(protocol);
  const auto range = [](const PortRange& ports) {
    return std::to_string(ports.first) + (ports.first == ports.last ? "" : "-" + std::to_string(ports.last));
  };
  if (destination.first != 0) text += " to port " + range(destination);
  if (source.first != 0) text += " from port " + range(source);
  return text;
}

// One table for each match, even if its rules are missing; the policies of one interface have different matches.
std::vector<Tabled> tables_for(const std::vector<Policy>& wanted, const std::vector<Rule>& there, uint32_t index) {
  std::vector<Tabled> tables;
  const auto is_taken = [&](uint32_t table) {
    const auto has = [&](const auto& one) { return one.table == table; };
    return std::ranges::any_of(tables, has) || std::ranges::any_of(there, has);
  };
  for (const auto& policy : wanted) {
    const auto same = [&](const Rule& rule) { return rule.match == policy.match; };
    const auto known = std::ranges::find_if(there, same);
    uint32_t slot = 0;
    while (known == there.end() && slot < policies_per_interface && is_taken(table_of(index, slot))) slot++;
    tables.push_back({known == there.end() ? table_of(index, slot) : known->table, policy});
  }
  return tables;
}

Result<> set_routes(InterfaceEdit& edit, const Tabled& wanted) {
  auto there = read_routes_of(edit.socket, edit.interface.netns, edit.before.index, wanted.table);
  if (!there) return std::move(there).error();
  const auto among = [](const std::vector<Route>& routes, const Route& route) {
    return std::ranges::find(routes, route) != routes.end();
  };
  for (const auto& route : there.value()) {
    if (!among(wanted.policy.routes, route)) (void)request_table_route(edit, RTM_DELROUTE, route, wanted.table);
  }
  for (const auto& route : wanted.policy.routes) {
    if (among(there.value(), route)) continue;
    const auto verdict = request_table_route(edit, RTM_NEWROUTE, route, wanted.table);
    if (!verdict.accepted()) {
      return refusal(verdict, "ROUTE_REFUSED", "add route " + to_text(route.to) + " of " + name_of(wanted.policy),
                     describe(edit.interface));
    }
  }
  return Done{};
}

// Routes come before rules: with a rule that leads to an empty table, packets would continue to the main table.
Result<> reconcile(InterfaceEdit& edit, const std::vector<Policy>& wanted) {
  sweep_rules(edit.socket, edit.interface.netns, 0);
  auto read = read_rules(edit.socket, edit.interface.netns);
  if (!read) return std::move(read).error();
  auto there = std::move(read).value();
  std::erase_if(there, [&](const Rule& rule) { return !belongs_to(rule, edit.before.index); });

  std::vector<Rule> rules;
  for (const auto& tabled : tables_for(wanted, there, edit.before.index)) {
    auto done = set_routes(edit, tabled);
    if (!done) return done;
    for (const uint8_t family : families_of(tabled.policy))
      rules.push_back({family, tabled.table, tabled.policy.match});
  }
  for (const auto& rule : there) {
    if (std::ranges::find(rules, rule) != rules.end()) continue;
    (void)request_rule(edit.socket, RTM_DELRULE, rule);
    const auto in_table = [&](const Rule& other) { return other.table == rule.table; };
    if (std::ranges::none_of(rules, in_table)) (void)set_routes(edit, {rule.table, {}});
  }
  for (const auto& rule : rules) {
    if (std::ranges::find(there, rule) != there.end()) continue;
    const auto verdict = request_rule(edit.socket, RTM_NEWRULE, rule);
    if (!verdict.accepted()) {
      return refusal(verdict, "POLICY_REFUSED", "add " + name_of({rule.match, {}}), describe(edit.interface));
    }
  }
  return Done{};
}

}  // namespace

Result<> set_policies(InterfaceEdit& edit, const std::vector<Policy>& policies) {
  std::vector<InterfaceInfo> before(1);
  before.front().index = edit.before.index;
  auto read = read_policies(edit.socket, edit.interface.netns, before);
  if (!read) return read;
  edit.undo.push_back([&edit, former = before.front().policies] { (void)reconcile(edit, former); });
  return reconcile(edit, policies);
}

}  // namespace crosswire::os

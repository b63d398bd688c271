// SPDX-License-Identifier: Apache-2.0
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "os/policy.hpp"

namespace crosswire::os {

namespace {

// Before the main table (32766). The kernel evaluates rules of equal priority in the order of their creation.
constexpr uint32_t rule_priority = 32000;

PortRange range_of(const Attributes& attributes, uint16_t type) {
  const auto packed = attributes.u32(type);
  fib_rule_port_range range{};
  if (packed) std::memcpy(&range, &*packed, sizeof range);
  return {range.start, range.end};
}

void put_range(NetlinkMessage& message, uint16_t type, const PortRange& range) {
  if (range.first == 0) return;
  const fib_rule_port_range packed{range.first, range.last};
  uint32_t value;
  static_assert(sizeof value == sizeof packed);
  std::memcpy(&value, &packed, sizeof value);
  message.put_u32(type, value);
}

void keep_rule(std::vector<Rule>& rules, const nlmsghdr* answer) {
  if (answer->nlmsg_type != RTM_NEWRULE) return;
  const auto* header = reinterpret_cast<const fib_rule_hdr*>(payload_of(answer));
  const Attributes attributes(answer, sizeof *header);
  if (attributes.u8(FRA_PROTOCOL) != routing_protocol) return;
  Rule rule{header->family, attributes.u32(FRA_TABLE).value_or(header->table), {}};
  if (rule.table < first_table || rule.table - first_table > 0x00FFFFFF) return;
  const auto from = attributes.address(FRA_SRC, header->family);
  if (from) rule.match.from = IpPrefix{*from, header->src_len};
  rule.match.protocol = attributes.u8(FRA_IP_PROTO).value_or(0);
  rule.match.destination_ports = range_of(attributes, FRA_DPORT_RANGE);
  rule.match.source_ports = range_of(attributes, FRA_SPORT_RANGE);
  rules.push_back(rule);
}

bool interface_exists(NetlinkSocket& socket, uint32_t index) {
  ifinfomsg header{};
  header.ifi_index = static_cast<int>(index);
  NetlinkMessage message(RTM_GETLINK, 0, header);
  return socket.request(message).errno_value != ENODEV;
}

uint32_t index_of(const Rule& rule) { return (rule.table - first_table) >> 6; }

}  // namespace

bool belongs_to(const Rule& rule, uint32_t index) { return table_of(index, rule.table) == rule.table; }

Result<std::vector<Rule>> read_rules(NetlinkSocket& socket, const std::string& netns) {
  std::vector<Rule> rules;
  for (const uint8_t family : {AF_INET, AF_INET6}) {
    fib_rule_hdr header{};
    header.family = family;
    NetlinkMessage message(RTM_GETRULE, 0, header);
    const auto verdict = socket.dump(
        message, [&] { std::erase_if(rules, [&](const Rule& rule) { return rule.family == family; }); },
        [&](const nlmsghdr* answer) { keep_rule(rules, answer); });
    // A kernel without policy routing, or without IPv6 (net/core/fib_rules.c, fib_nl_dumprule).
    if (verdict.errno_value == EAFNOSUPPORT || verdict.errno_value == EOPNOTSUPP) continue;
    if (!verdict.accepted()) return refusal(verdict, "NETLINK_FAILED", "read routing rules", netns);
  }
  return rules;
}

Verdict request_rule(NetlinkSocket& socket, uint16_t type, const Rule& rule) {
  fib_rule_hdr header{};
  header.family = rule.family;
  header.action = FR_ACT_TO_TBL;
  const auto& match = rule.match;
  if (match.from) header.src_len = match.from->length;
  const bool adding = type == RTM_NEWRULE;
  NetlinkMessage message(type, adding ? NLM_F_CREATE | NLM_F_EXCL : 0, header);
  if (match.from && match.from->length > 0) message.put_address(FRA_SRC, match.from->address);
  message.put_u32(FRA_TABLE, rule.table);
  message.put_u32(FRA_PRIORITY, rule_priority);
  message.put_u8(FRA_PROTOCOL, routing_protocol);
  if (match.protocol != 0) message.put_u8(FRA_IP_PROTO, match.protocol);
  put_range(message, FRA_DPORT_RANGE, match.destination_ports);
  put_range(message, FRA_SPORT_RANGE, match.source_ports);
  auto verdict = socket.request(message);
  if (verdict.errno_value == (adding ? EEXIST : ENOENT)) return {};
  return verdict;
}

void sweep_rules(NetlinkSocket& socket, const std::string& netns, uint32_t leaving) {
  const auto rules = read_rules(socket, netns);
  if (!rules) return;
  std::set<uint32_t> there;
  for (const auto& rule : rules.value()) {
    const auto index = index_of(rule);
    if (index == leaving || (!there.contains(index) && !interface_exists(socket, index))) {
      (void)request_rule(socket, RTM_DELRULE, rule);
    } else {
      there.insert(index);
    }
  }
}

}  // namespace crosswire::os

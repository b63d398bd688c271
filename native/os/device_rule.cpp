// SPDX-License-Identifier: Apache-2.0
#include "os/device_rule.hpp"

#include <algorithm>
#include <charconv>

namespace crosswire::os {

namespace {

// Removes from the text, and returns, what precedes the separator.
std::string_view take(std::string_view& text, char separator) {
  const auto end = std::min(text.find(separator), text.size());
  const auto taken = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return taken;
}

bool parse_number(std::string_view text, std::optional<uint32_t>& number) {
  if (text == "*") return true;
  const auto* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number.emplace());
  return parsed.ec == std::errc() && parsed.ptr == end;
}

uint8_t parse_access(std::string_view text) {
  uint8_t access = 0;
  if (text.find('m') != text.npos) access |= access_mknod;
  if (text.find('r') != text.npos) access |= access_read;
  if (text.find('w') != text.npos) access |= access_write;
  return access;
}

std::optional<DeviceRule> parse_rule(std::string_view line) {
  DeviceRule rule;
  const auto type = take(line, ' ');
  if (type != "a" && type != "b" && type != "c") return {};
  rule.type = type.front();
  if (!parse_number(take(line, ':'), rule.major) || !parse_number(take(line, ' '), rule.minor)) return {};
  rule.access = parse_access(line);
  return rule;
}

std::string number_text(const std::optional<uint32_t>& number) { return number ? std::to_string(*number) : "*"; }

}  // namespace

DeviceRule rule_of(const DeviceNode& node, uint8_t access) { return {'c', node.major, node.minor, access}; }

std::string to_string(const DeviceRule& rule) {
  auto text = std::string(1, rule.type) + " " + number_text(rule.major) + ":" + number_text(rule.minor) + " ";
  if ((rule.access & access_read) != 0) text += 'r';
  if ((rule.access & access_write) != 0) text += 'w';
  if ((rule.access & access_mknod) != 0) text += 'm';
  return text;
}

std::vector<DeviceRule> parse_rules(std::string_view text) {
  std::vector<DeviceRule> rules;
  while (!text.empty()) {
    if (const auto rule = parse_rule(take(text, '\n'))) rules.push_back(*rule);
  }
  return rules;
}

bool allowed_by(const std::vector<DeviceRule>& rules, const DeviceNode& node) {
  return std::ranges::all_of(asked_accesses, [&](uint8_t access) {
    return std::ranges::any_of(rules, [&](const DeviceRule& rule) { return rule.covers(node, access); });
  });
}

}  // namespace crosswire::os

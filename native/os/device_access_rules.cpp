// SPDX-License-Identifier: Apache-2.0
// Version 1: devices.list, devices.allow and devices.deny.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "os/device_access_by_version.hpp"
#include "os/error.hpp"

namespace crosswire::os {

namespace {

Result<std::vector<DeviceRule>> read_rules(int directory, const std::string& path) {
  const Fd file(::openat(directory, "devices.list", O_RDONLY | O_CLOEXEC));
  std::string text;
  std::array<char, 4096> piece;
  ssize_t length = file ? 1 : -1;
  while (length > 0) {
    length = ::read(file.get(), piece.data(), piece.size());
    if (length > 0) text.append(piece.data(), static_cast<size_t>(length));
  }
  if (length < 0) return system_error("CGROUP_REFUSED", "read devices.list", path, errno);
  return parse_rules(text);
}

Result<> write_rule(const ControlGroup& group, const char* name, const DeviceRule& rule) {
  const Fd file(::openat(group.directory.get(), name, O_WRONLY | O_CLOEXEC));
  const auto text = to_string(rule);
  if (!file || ::write(file.get(), text.data(), text.size()) < 0) {
    return system_error("CGROUP_REFUSED", "write " + text + " to " + name, group.path, errno);
  }
  return Done{};
}

// What all holders except `but` were granted of the node.
uint8_t granted(const GrantRecords& records, const DeviceNode& node, const std::string& but) {
  uint8_t access = 0;
  for (const auto& [holder, rules] : records) {
    for (const auto& rule : rules) {
      if (holder != but && rule.names(node)) access |= rule.access;
    }
  }
  return access;
}

// The rule to record for a node: the access that the group refused before the first grant. Without access: it refused
// none.
DeviceRule missing_of(std::vector<DeviceRule> rules, const DeviceNode& node, uint8_t ours) {
  uint8_t own = 0;
  for (auto& rule : rules) {
    if (!rule.names(node)) continue;
    rule.access &= static_cast<uint8_t>(~ours);
    own |= rule.access;
  }
  return rule_of(node, allowed_by(rules, node) ? 0 : access_all & ~own);
}

std::string parent_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

// A group cannot allow what the group above refuses (EPERM). Names that group.
Error refusal_of(const ControlGroup& group, const DeviceNode& node, Error error) {
  if (error.errno_value != EPERM) return error;
  for (auto path = parent_of(group.path); !path.empty(); path = parent_of(path)) {
    const Fd above(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const auto rules = read_rules(above.get(), path);
    if (!above || !rules) break;
    if (allowed_by(rules.value(), node)) continue;
    return {"DEVICE_REFUSED_ABOVE", "allow " + to_string(node) + " in " + group.path, path,
            "this group above refuses it, and so to all below", EPERM};
  }
  return error;
}

// Only the access that no other holder has.
Result<> deny(const ControlGroup& group, const GrantRecords& records, const std::string& holder,
              const std::vector<DeviceRule>& rules) {
  for (auto rule : rules) {
    rule.access &= static_cast<uint8_t>(~granted(records, {*rule.major, *rule.minor}, holder));
    if (rule.access == 0) continue;
    auto done = write_rule(group, "devices.deny", rule);
    if (!done) return done;
  }
  return Done{};
}

}  // namespace

Result<DeviceAccess> grant_by_rules(const ControlGroup& group, const GrantRecords& records, const std::string& holder,
                                    const std::vector<DeviceNode>& nodes) {
  const auto before = read_rules(group.directory.get(), group.path);
  if (!before) return before.error();
  const auto found = records.find(holder);
  const auto held = found == records.end() ? std::vector<DeviceRule>{} : found->second;
  auto record = held;
  DeviceAccess access{1, {}};
  std::vector<DeviceRule> fresh;
  for (const auto& node : nodes) {
    const auto rule = missing_of(before.value(), node, granted(records, node, ""));
    if (rule.access == 0) continue;
    access.opened.push_back(node);
    if (std::ranges::any_of(held, [&](const DeviceRule& other) { return other.names(node); })) continue;
    record.push_back(rule);
    fresh.push_back(rule);
  }
  access.changed = !fresh.empty();
  if (access.opened.empty()) return access;
  auto done = write_grant_record(group.directory.get(), group.path, holder, record);
  for (auto node = access.opened.begin(); done && node != access.opened.end(); ++node) {
    done = write_rule(group, "devices.allow", rule_of(*node, access_all));
    if (!done) done = refusal_of(group, *node, std::move(done).error());
  }
  if (done) return access;
  if (deny(group, records, "", fresh)) (void)write_grant_record(group.directory.get(), group.path, holder, held);
  return std::move(done).error();
}

Result<> withdraw_rules(const ControlGroup& group, const GrantRecords& records, const std::string& holder) {
  return deny(group, records, holder, records.at(holder));
}

}  // namespace crosswire::os

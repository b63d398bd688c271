// SPDX-License-Identifier: Apache-2.0
// A line of devices.list, devices.allow and devices.deny: Documentation/admin-guide/cgroup-v1/devices.rst of the
// kernel. Our own records of what was granted are written in the same way.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "os/device_node.hpp"

namespace crosswire::os {

// The bits of linux/bpf.h (BPF_DEVCG_ACC_*), which the devices controller shares.
constexpr uint8_t access_mknod = 1;
constexpr uint8_t access_read = 2;
constexpr uint8_t access_write = 4;
constexpr uint8_t access_all = access_mknod | access_read | access_write;
// What the kernel asks for: mknod(2), and open(2) to read, to write, and for both.
constexpr uint8_t asked_accesses[] = {access_mknod, access_read, access_write, access_read | access_write};

struct DeviceRule {
  char type = 'c';                // a: all, b: block, c: character
  std::optional<uint32_t> major;  // absent: *
  std::optional<uint32_t> minor;
  uint8_t access = 0;

  bool names(const DeviceNode& node) const { return type == 'c' && major == node.major && minor == node.minor; }
  bool covers(const DeviceNode& node, uint8_t wanted) const {
    return type != 'b' && (!major || major == node.major) && (!minor || minor == node.minor) && (wanted & ~access) == 0;
  }
};

DeviceRule rule_of(const DeviceNode& node, uint8_t access);
std::string to_string(const DeviceRule& rule);  // "c 10:196 rwm"
// Lines that are not rules are skipped.
std::vector<DeviceRule> parse_rules(std::string_view text);
// Whether every access to the node finds one rule that covers it, as match_exception() of the kernel's
// security/device_cgroup.c does.
bool allowed_by(const std::vector<DeviceRule>& rules, const DeviceNode& node);

}  // namespace crosswire::os

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace crosswire::os {

// A character device, as mknod(2) names it.
struct DeviceNode {
  uint32_t major = 0;
  uint32_t minor = 0;
  auto operator<=>(const DeviceNode&) const = default;
};

inline std::string to_string(const DeviceNode& node) {
  return "character device " + std::to_string(node.major) + ":" + std::to_string(node.minor);
}

}  // namespace crosswire::os

// SPDX-License-Identifier: Apache-2.0
// Allows a workload to use device nodes that its control group refuses, and withdraws that. Version 1 of control groups
// has a list of rules, version 2 has programs. The original state is first recorded for each holder on the group itself
// (grant_records.hpp); a node stays allowed as long as one holder has it.
#pragma once

#include <string>
#include <vector>

#include "core/result.hpp"
#include "os/device_node.hpp"
#include "os/fd.hpp"

namespace crosswire::os {

struct ControlGroup {
  std::string path;
  int version = 0;  // 1: of the devices controller
  Fd directory;
};

// Errors: CGROUP_MISSING, CGROUP_INVALID.
Result<ControlGroup> open_control_group(const std::string& path);

struct DeviceAccess {
  int version = 0;
  std::vector<DeviceNode> opened;  // of those wanted, the ones that the group refuses without this grant
  bool changed = false;            // false: the holder had them already
};

// Idempotent; a repeated call also repairs what the container runtime has undone. On an error nothing is changed.
// Errors: those of open_control_group(), CGROUP_REFUSED, DEVICE_REFUSED_ABOVE, DEVICE_PROGRAM_OPAQUE,
// DEVICE_PROGRAM_REFUSED.
Result<DeviceAccess> grant_devices(const std::string& path, const std::string& holder,
                                   const std::vector<DeviceNode>& nodes);
// false: the holder had nothing there, or the group is gone.
Result<bool> withdraw_devices(const std::string& path, const std::string& holder);

}  // namespace crosswire::os

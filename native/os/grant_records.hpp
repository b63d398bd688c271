// SPDX-License-Identifier: Apache-2.0
// Who was granted what on a control group, kept on the group itself: an extended attribute for each holder. So it
// outlives the daemon, is gone with the group, and a new group of the same name has none. The attributes are of the
// class `trusted`, which takes CAP_SYS_ADMIN to read or write (xattr(7)): no workload can.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "os/device_rule.hpp"

namespace crosswire::os {

using GrantRecords = std::map<std::string, std::vector<DeviceRule>>;  // by holder

// `group` is a descriptor of the group's directory; `path` is for the errors, all of code CGROUP_REFUSED.
Result<GrantRecords> read_grant_records(int group, const std::string& path);
// Without rules it erases.
Result<> write_grant_record(int group, const std::string& path, const std::string& holder,
                            const std::vector<DeviceRule>& rules);

}  // namespace crosswire::os

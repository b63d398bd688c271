// SPDX-License-Identifier: Apache-2.0
// Records of what each holder was granted on a control group: an extended attribute of the group for each holder. A
// record outlives the daemon and vanishes with the group; a new group of the same name has none. The attributes are of
// the class `trusted`, which only CAP_SYS_ADMIN can read or write (xattr(7)), so workloads cannot.
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
// Empty rules erase the record.
Result<> write_grant_record(int group, const std::string& path, const std::string& holder,
                            const std::vector<DeviceRule>& rules);

}  // namespace crosswire::os

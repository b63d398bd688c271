// SPDX-License-Identifier: Apache-2.0
// The two kinds of control groups, for device_access.cpp alone.
#pragma once

#include "os/device_access.hpp"
#include "os/grant_records.hpp"

namespace crosswire::os {

Result<DeviceAccess> grant_by_rules(const ControlGroup& group, const GrantRecords& records, const std::string& holder,
                                    const std::vector<DeviceNode>& nodes);
Result<> withdraw_rules(const ControlGroup& group, const GrantRecords& records, const std::string& holder);

Result<DeviceAccess> grant_by_program(const ControlGroup& group, const GrantRecords& records, const std::string& holder,
                                      const std::vector<DeviceNode>& nodes);
Result<> withdraw_from_program(const ControlGroup& group, const GrantRecords& records, const std::string& holder);

}  // namespace crosswire::os

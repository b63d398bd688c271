// SPDX-License-Identifier: Apache-2.0
// Translates parts of host devices from and to the shapes of src/dataplane/types.ts.
#pragma once

#include <napi.h>

#include "binding/arguments.hpp"
#include "os/vlan.hpp"

namespace crosswire::binding {

os::VlanDevice read_vlan_device(const Fields& fields);
Napi::Object make_uplink(Napi::Env env, const os::Uplink& uplink);

}  // namespace crosswire::binding

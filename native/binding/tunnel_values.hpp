// SPDX-License-Identifier: Apache-2.0
// Translates tunnels from and to the shapes of src/dataplane/tunnels.ts.
#pragma once

#include <napi.h>

#include "binding/arguments.hpp"
#include "os/tunnel_kinds.hpp"

namespace crosswire::binding {

os::TunnelParameters read_tunnel(const Fields& fields);
Napi::Object make_tunnel(Napi::Env env, const os::TunnelState& tunnel);

}  // namespace crosswire::binding

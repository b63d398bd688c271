// SPDX-License-Identifier: Apache-2.0
// Engine options and wires from the plain objects of src/dataplane/types.ts.
#pragma once

#include "binding/arguments.hpp"
#include "binding/engine_owner.hpp"

namespace crosswire::binding {

EngineOptions read_engine_options(const Fields& fields);
LinkRequest read_link_request(const Fields& fields);
WireRequest read_wire_request(const Fields& fields);
memif::ProxyOptions read_proxy_options(const Fields& fields);

// The index-th argument of a call.
uint64_t handle_argument(const Napi::CallbackInfo& info, size_t index, const char* operation);
EndName end_argument(const Napi::CallbackInfo& info, size_t index, const char* operation);

}  // namespace crosswire::binding

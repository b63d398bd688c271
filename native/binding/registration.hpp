// SPDX-License-Identifier: Apache-2.0
// Each part of the binding adds its methods to the exports through one function.
#pragma once

#include <napi.h>

#include "binding/addon_data.hpp"

namespace crosswire::binding {

// Weak while the engine's half is built apart from this one.
__attribute__((weak)) void register_engine(Napi::Env env, Napi::Object exports, AddonData& data);

}  // namespace crosswire::binding

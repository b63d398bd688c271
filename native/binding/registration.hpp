// SPDX-License-Identifier: Apache-2.0
// The engine's half of the binding adds itself to the exports, and its state to AddonData::engine.
#pragma once

#include <napi.h>

#include "binding/addon_data.hpp"

namespace crosswire::binding {

void register_engine(Napi::Env env, Napi::Object exports, AddonData& data);

}  // namespace crosswire::binding

// SPDX-License-Identifier: Apache-2.0
// The parts of the binding: each adds its exports, and its state to AddonData.
#pragma once

#include <napi.h>

#include "binding/addon_data.hpp"

namespace crosswire::binding {

void register_engine(Napi::Env env, Napi::Object exports, AddonData& data);
void register_unix_sockets(Napi::Env env, Napi::Object exports, AddonData& data);

}  // namespace crosswire::binding

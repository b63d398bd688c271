// SPDX-License-Identifier: Apache-2.0
// The addon's methods for interfaces, namespaces, device access and the machine, with the names, arguments and results
// of src/dataplane/types.ts.
#pragma once

#include <napi.h>

namespace crosswire::binding {

void register_device_access_methods(Napi::Env env, Napi::Object exports);
void register_interface_methods(Napi::Env env, Napi::Object exports);
void register_machine_methods(Napi::Env env, Napi::Object exports);
void register_device_methods(Napi::Env env, Napi::Object exports);

}  // namespace crosswire::binding

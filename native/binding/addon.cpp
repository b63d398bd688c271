// SPDX-License-Identifier: Apache-2.0
// The entry of the addon: one AddonData per environment, shut down before the environment's objects are destroyed.
#include <napi.h>

#include "binding/addon_data.hpp"
#include "binding/errors.hpp"
#include "binding/interface_methods.hpp"
#include "binding/registration.hpp"

namespace crosswire::binding {

namespace {

Napi::Object initialise(Napi::Env env, Napi::Object exports) {
  auto* data = new AddonData(env);
  env.SetInstanceData(data);  // deletes it when the environment is gone
  // Hooks run in reverse order. This one was added after those of the thread-safe functions of executor and notifier,
  // so the threads are joined while these functions still exist.
  env.AddCleanupHook([data] { data->shut_down(); });
  register_errors(env, exports);
  register_machine_methods(env, exports);
  register_interface_methods(env, exports);
  register_device_methods(env, exports);
  register_device_access_methods(env, exports);
  register_engine(env, exports, *data);
  register_unix_sockets(env, exports, *data);
  return exports;
}

}  // namespace

NODE_API_MODULE(crosswire, initialise)

}  // namespace crosswire::binding

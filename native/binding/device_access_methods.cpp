// SPDX-License-Identifier: Apache-2.0
#include "binding/addon_data.hpp"
#include "binding/arguments.hpp"
#include "binding/interface_methods.hpp"
#include "binding/interface_results.hpp"
#include "os/device_access.hpp"

namespace crosswire::binding {

namespace {

// MINORBITS of the kernel's linux/kdev_t.h is 20, which leaves 12 for the major number.
constexpr uint32_t highest_major = (1U << 12) - 1;
constexpr uint32_t highest_minor = (1U << 20) - 1;

Executor& executor_of(const Napi::CallbackInfo& info) { return info.Env().GetInstanceData<AddonData>()->executor; }

std::vector<os::DeviceNode> read_nodes(const Napi::CallbackInfo& info, size_t index, const char* operation) {
  std::vector<os::DeviceNode> nodes;
  for (const auto& item : Fields::list_of_argument(info, index, operation)) {
    nodes.push_back({item.integer("major", 0, highest_major), item.integer("minor", 0, highest_minor)});
  }
  return nodes;
}

Napi::Object make_node(Napi::Env env, const os::DeviceNode& node) {
  auto object = Napi::Object::New(env);
  object.Set("major", node.major);
  object.Set("minor", node.minor);
  return object;
}

Napi::Object make_access(Napi::Env env, const os::DeviceAccess& access) {
  auto object = Napi::Object::New(env);
  object.Set("version", access.version);
  object.Set("opened", make_array(env, access.opened, make_node));
  object.Set("changed", access.changed);
  return object;
}

Napi::Value grant_devices(const Napi::CallbackInfo& info) {
  const char* operation = "grant devices";
  return executor_of(info).run<os::DeviceAccess>(
      info.Env(),
      [path = string_argument(info, 0, operation), holder = string_argument(info, 1, operation),
       nodes = read_nodes(info, 2, operation)] { return os::grant_devices(path, holder, nodes); },
      make_access);
}

Napi::Value withdraw_devices(const Napi::CallbackInfo& info) {
  const char* operation = "withdraw devices";
  return executor_of(info).run<bool>(
      info.Env(),
      [path = string_argument(info, 0, operation), holder = string_argument(info, 1, operation)] {
        return os::withdraw_devices(path, holder);
      },
      [](Napi::Env env, bool withdrawn) { return Napi::Boolean::New(env, withdrawn); });
}

}  // namespace

void register_device_access_methods(Napi::Env env, Napi::Object exports) {
  exports.Set("grantDevices", Napi::Function::New(env, grant_devices, "grantDevices"));
  exports.Set("withdrawDevices", Napi::Function::New(env, withdraw_devices, "withdrawDevices"));
}

}  // namespace crosswire::binding

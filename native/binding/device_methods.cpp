// SPDX-License-Identifier: Apache-2.0
#include "binding/addon_data.hpp"
#include "binding/arguments.hpp"
#include "binding/interface_arguments.hpp"
#include "binding/interface_methods.hpp"
#include "binding/interface_results.hpp"
#include "os/virtual_function.hpp"

namespace crosswire::binding {

namespace {

constexpr uint32_t highest_index = 65535;  // of VFs: NumVFs has 16 bits (PCI Express, SR-IOV extended capability)
constexpr uint32_t highest_vlan = 4094;
constexpr uint32_t highest_priority = 7;
constexpr uint32_t highest_rate = 10'000'000;  // Mbit/s

Executor& executor_of(const Napi::CallbackInfo& info) { return info.Env().GetInstanceData<AddonData>()->executor; }

template <class Value>
void set_known(Napi::Object object, const char* name, const std::optional<Value>& value) {
  if (value) object.Set(name, *value);
}

Napi::Object make_counters(Napi::Env env, const os::VirtualFunctionStatistics& counted) {
  auto object = Napi::Object::New(env);
  const auto set = [&](const char* name, uint64_t value) { object.Set(name, Napi::BigInt::New(env, value)); };
  set("rxPackets", counted.rx_packets);
  set("txPackets", counted.tx_packets);
  set("rxBytes", counted.rx_bytes);
  set("txBytes", counted.tx_bytes);
  set("rxDropped", counted.rx_dropped);
  set("txDropped", counted.tx_dropped);
  return object;
}

const char* name_of(os::VirtualFunctionLink link) {
  switch (link) {
    case os::VirtualFunctionLink::up:
      return "up";
    case os::VirtualFunctionLink::down:
      return "down";
    case os::VirtualFunctionLink::automatic:
      break;
  }
  return "automatic";
}

Napi::Object make_function(Napi::Env env, const os::VirtualFunctionInfo& info) {
  auto object = Napi::Object::New(env);
  object.Set("index", info.index);
  if (info.mac) object.Set("mac", os::to_text(*info.mac));
  set_known(object, "vlan", info.vlan);
  set_known(object, "qualityOfService", info.quality_of_service);
  set_known(object, "trust", info.trust);
  set_known(object, "spoofCheck", info.spoof_check);
  if (info.link) object.Set("link", name_of(*info.link));
  set_known(object, "minRate", info.lowest_rate);
  set_known(object, "maxRate", info.highest_rate);
  if (info.statistics) object.Set("statistics", make_counters(env, *info.statistics));
  return object;
}

os::VirtualFunctionChange read_function_change(const Fields& fields) {
  os::VirtualFunctionChange change;
  change.mac = read_optional_mac(fields);
  if (const auto vlan = fields.optional_integer("vlan", 0, highest_vlan)) change.vlan = static_cast<uint16_t>(*vlan);
  const auto priority = fields.optional_integer("qualityOfService", 0, highest_priority).value_or(0);
  change.quality_of_service = static_cast<uint8_t>(priority);
  if (fields.has("spoofCheck")) change.spoof_check = fields.boolean("spoofCheck", false);
  if (fields.has("trust")) change.trust = fields.boolean("trust", false);
  change.highest_rate = fields.optional_integer("maxRate", 0, highest_rate);
  return change;
}

Napi::Value read_virtual_functions(const Napi::CallbackInfo& info) {
  using Functions = std::vector<os::VirtualFunctionInfo>;
  const char* operation = "read virtual functions";
  const os::InterfaceReference pf{string_argument(info, 0, operation), string_argument(info, 1, operation)};
  return executor_of(info).run<Functions>(
      info.Env(), [pf] { return os::read_virtual_functions(pf); },
      [](Napi::Env env, const Functions& functions) { return make_array(env, functions, make_function); });
}

Napi::Value change_virtual_function(const Napi::CallbackInfo& info) {
  const auto fields = Fields::of_argument(info, 0, "change virtual function");
  return executor_of(info).run(
      info.Env(), [pf = os::InterfaceReference{fields.string("netns"), fields.string("pf")},
                   index = fields.integer("index", 0, highest_index),
                   change = read_function_change(fields)] { return os::change_virtual_function(pf, index, change); });
}

Napi::Value mark_interface(const Napi::CallbackInfo& info) {
  const auto fields = Fields::of_argument(info, 0, "mark interface");
  return executor_of(info).run(
      info.Env(), [interface = read_reference(fields), from = fields.string("from"), alias = fields.string("alias")] {
        return os::mark_interface(interface, from, alias);
      });
}

Napi::Value move_interface(const Napi::CallbackInfo& info) {
  const auto fields = Fields::of_argument(info, 0, "move interface");
  const os::InterfaceMove move{read_reference(fields), fields.string("alias"), fields.string("to"),
                               fields.string("rename")};
  return executor_of(info).run(info.Env(), [move] { return os::move_interface(move); });
}

}  // namespace

void register_device_methods(Napi::Env env, Napi::Object exports) {
  exports.Set("readVirtualFunctions", Napi::Function::New(env, read_virtual_functions, "readVirtualFunctions"));
  exports.Set("changeVirtualFunction", Napi::Function::New(env, change_virtual_function, "changeVirtualFunction"));
  exports.Set("markInterface", Napi::Function::New(env, mark_interface, "markInterface"));
  exports.Set("moveInterface", Napi::Function::New(env, move_interface, "moveInterface"));
}

}  // namespace crosswire::binding

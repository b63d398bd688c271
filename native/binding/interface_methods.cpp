// SPDX-License-Identifier: Apache-2.0
#include "binding/interface_methods.hpp"

#include <cstring>

#include "binding/addon_data.hpp"
#include "binding/interface_arguments.hpp"
#include "binding/interface_results.hpp"
#include "binding/tunnel_values.hpp"
#include "binding/vlan_values.hpp"

namespace crosswire::binding {

namespace {

constexpr size_t words_per_interface = sizeof(os::InterfaceStatistics) / sizeof(uint64_t);

Executor& executor_of(const Napi::CallbackInfo& info) { return info.Env().GetInstanceData<AddonData>()->executor; }

Napi::Value list_interfaces(const Napi::CallbackInfo& info) {
  using Interfaces = std::vector<os::InterfaceInfo>;
  return executor_of(info).run<Interfaces>(
      info.Env(),
      [query = read_query(Fields::of_argument(info, 0, "list interfaces"))] { return os::list_interfaces(query); },
      [](Napi::Env env, const Interfaces& interfaces) { return make_array(env, interfaces, make_interface); });
}

Napi::Value create_veth_pair(const Napi::CallbackInfo& info) {
  const char* operation = "create veth pair";
  return executor_of(info).run(
      info.Env(), [a = read_veth_side(Fields::of_argument(info, 0, operation)),
                   b = read_veth_side(Fields::of_argument(info, 1, operation))] { return os::create_veth_pair(a, b); });
}

Result<> make_tap(const TapRequest& request) {
  auto created = os::create_tun(request.interface.netns, request.interface.name, request.kind);
  if (!created) return std::move(created).error();
  return os::adopt_interface(request.interface, request.traits);
}

Napi::Value create_tap(const Napi::CallbackInfo& info) {
  return executor_of(info).run(
      info.Env(),
      [request = read_tap_request(Fields::of_argument(info, 0, "create TAP device"))] { return make_tap(request); });
}

Napi::Value create_tunnel(const Napi::CallbackInfo& info) {
  const auto request = Fields::of_argument(info, 0, "create tunnel");
  return executor_of(info).run(info.Env(),
                               [device = read_tunnel_device(request), tunnel = read_tunnel(request.object("tunnel"))] {
                                 return os::create_tunnel(device, tunnel);
                               });
}

Napi::Value create_vlan(const Napi::CallbackInfo& info) {
  return executor_of(info).run(info.Env(), [device = read_vlan_device(Fields::of_argument(
                                                info, 0, "share host device"))] { return os::create_vlan(device); });
}

Napi::Value change_interface(const Napi::CallbackInfo& info) {
  return executor_of(info).run(info.Env(), [change = read_change(Fields::of_argument(info, 0, "change interface"))] {
    return os::change_interface(change);
  });
}

Napi::Value delete_interface(const Napi::CallbackInfo& info) {
  const char* operation = "delete interface";
  const os::InterfaceReference interface { string_argument(info, 0, operation), string_argument(info, 1, operation) };
  return executor_of(info).run<bool>(
      info.Env(),
      [interface, alias = string_argument(info, 2, operation)] { return os::delete_interface(interface, alias); },
      [](Napi::Env env, bool deleted) { return Napi::Boolean::New(env, deleted); }, Lane::waiting);
}

// Two typed arrays instead of an object for each interface: there may be tens of thousands.
Napi::Value make_statistics_rows(Napi::Env env, const std::vector<std::optional<os::InterfaceStatistics>>& rows) {
  auto found = Napi::Uint8Array::New(env, rows.size());
  auto words = Napi::BigUint64Array::New(env, rows.size() * words_per_interface);
  for (size_t row = 0; row < rows.size(); ++row) {
    found[row] = rows[row] ? 1 : 0;
    if (rows[row]) std::memcpy(words.Data() + row * words_per_interface, &*rows[row], sizeof *rows[row]);
  }
  auto object = Napi::Object::New(env);
  object.Set("found", found);
  object.Set("words", words);
  return object;
}

using Interfaces = std::shared_ptr<const std::vector<os::InterfaceReference>>;

// The last long list, for as long as JavaScript holds it: every scrape asks for the same tens of thousands.
struct KeptInterfaces final : AddonPart {
  Napi::Reference<Napi::Array> list;
  Interfaces interfaces;
};
constexpr uint32_t worth_keeping = 256;

Interfaces read_interfaces(const Napi::CallbackInfo& info) {
  std::vector<os::InterfaceReference> interfaces;
  for (const auto& item : Fields::list_of_argument(info, 0, "read statistics")) {
    interfaces.push_back(read_reference(item));
  }
  return std::make_shared<const std::vector<os::InterfaceReference>>(std::move(interfaces));
}

Interfaces keep_interfaces(const Napi::CallbackInfo& info) {
  if (!info[0].IsArray() || info[0].As<Napi::Array>().Length() < worth_keeping) return read_interfaces(info);
  const auto list = info[0].As<Napi::Array>();
  auto& attachment = info.Env().GetInstanceData<AddonData>()->kept_interfaces;
  if (attachment == nullptr) attachment = std::make_unique<KeptInterfaces>();
  auto& kept = static_cast<KeptInterfaces&>(*attachment);
  const bool same = !kept.list.IsEmpty() && !kept.list.Value().IsEmpty() && kept.list.Value().StrictEquals(list);
  if (!same) {
    kept.interfaces = read_interfaces(info);
    kept.list = Napi::Weak(list);
  }
  return kept.interfaces;
}

Napi::Value read_statistics(const Napi::CallbackInfo& info) {
  using Rows = std::vector<std::optional<os::InterfaceStatistics>>;
  return executor_of(info).run<Rows>(
      info.Env(), [asked = keep_interfaces(info)] { return os::read_statistics(*asked); }, make_statistics_rows);
}

}  // namespace

void register_interface_methods(Napi::Env env, Napi::Object exports) {
  exports.Set("listInterfaces", Napi::Function::New(env, list_interfaces, "listInterfaces"));
  exports.Set("createVethPair", Napi::Function::New(env, create_veth_pair, "createVethPair"));
  exports.Set("createTap", Napi::Function::New(env, create_tap, "createTap"));
  exports.Set("createTunnel", Napi::Function::New(env, create_tunnel, "createTunnel"));
  exports.Set("createVlan", Napi::Function::New(env, create_vlan, "createVlan"));
  exports.Set("changeInterface", Napi::Function::New(env, change_interface, "changeInterface"));
  exports.Set("deleteInterface", Napi::Function::New(env, delete_interface, "deleteInterface"));
  exports.Set("readStatistics", Napi::Function::New(env, read_statistics, "readStatistics"));
}

}  // namespace crosswire::binding

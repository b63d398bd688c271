// SPDX-License-Identifier: Apache-2.0
#include "binding/addon_data.hpp"
#include "binding/arguments.hpp"
#include "binding/interface_methods.hpp"
#include "binding/interface_results.hpp"
#include "os/machine_probe.hpp"
#include "os/namespaces.hpp"

namespace crosswire::binding {

namespace {

Executor& executor_of(const Napi::CallbackInfo& info) { return info.Env().GetInstanceData<AddonData>()->executor; }

Napi::Object make_probe(Napi::Env env, const os::MachineProbe& probe) {
  auto object = Napi::Object::New(env);
  object.Set("kernel", probe.kernel);
  object.Set("capabilities", make_array(env, probe.capabilities, [](Napi::Env e, const std::string& name) {
               return Napi::String::New(e, name);
             }));
  object.Set("tun", probe.tun);
  object.Set("tunVirtioHeader", probe.tun_virtio_header);
  object.Set("udpSegmentation", probe.udp_segmentation);
  object.Set("memfd", probe.memfd);
  object.Set("abstractSockets", probe.abstract_sockets);
  auto tunnels = Napi::Object::New(env);
  for (const auto& [kind, supported] : probe.tunnels) tunnels.Set(kind, supported);
  object.Set("tunnels", tunnels);
  return object;
}

Napi::Value identify_namespace(const Napi::CallbackInfo& info) {
  auto path = string_argument(info, 0, "identify network namespace");
  if (path.empty()) path = "/proc/self/ns/net";
  return executor_of(info).run<os::NamespaceIdentity>(
      info.Env(), [path] { return os::identify_namespace(path); }, make_namespace_identity);
}

Napi::Value list_namespaces(const Napi::CallbackInfo& info) {
  using Entries = std::vector<os::NamespaceEntry>;
  return executor_of(info).run<Entries>(
      info.Env(), []() -> Result<Entries> { return os::list_namespaces(); },
      [](Napi::Env env, const Entries& entries) { return make_array(env, entries, make_namespace_entry); });
}

Napi::Value probe(const Napi::CallbackInfo& info) {
  return executor_of(info).run<os::MachineProbe>(
      info.Env(), []() -> Result<os::MachineProbe> { return os::probe_machine(); }, make_probe);
}

}  // namespace

void register_machine_methods(Napi::Env env, Napi::Object exports) {
  exports.Set("identifyNamespace", Napi::Function::New(env, identify_namespace, "identifyNamespace"));
  exports.Set("listNamespaces", Napi::Function::New(env, list_namespaces, "listNamespaces"));
  exports.Set("probe", Napi::Function::New(env, probe, "probe"));
}

}  // namespace crosswire::binding

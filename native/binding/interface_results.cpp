// SPDX-License-Identifier: Apache-2.0
#include "binding/interface_results.hpp"

#include "binding/tunnel_values.hpp"
#include "binding/vlan_values.hpp"

namespace crosswire::binding {

namespace {

Napi::Value make_address(Napi::Env env, const os::IpPrefix& address) {
  return Napi::String::New(env, os::to_text(address));
}

Napi::Value make_route(Napi::Env env, const os::Route& route) {
  auto object = Napi::Object::New(env);
  object.Set("to", os::to_text(route.to));
  if (route.via) object.Set("via", os::to_text(*route.via));
  return object;
}

Napi::Value make_neighbour(Napi::Env env, const os::Neighbour& neighbour) {
  auto object = Napi::Object::New(env);
  object.Set("address", os::to_text(neighbour.address));
  object.Set("mac", os::to_text(neighbour.mac));
  return object;
}

void set_ports(Napi::Env env, Napi::Object policy, const char* name, const os::PortRange& ports) {
  if (ports.first == 0) return;
  auto object = Napi::Object::New(env);
  object.Set("first", ports.first);
  object.Set("last", ports.last);
  policy.Set(name, object);
}

Napi::Value make_policy(Napi::Env env, const os::Policy& policy) {
  const auto& [from, protocol, destination, source] = policy.match;
  auto object = Napi::Object::New(env);
  if (from) object.Set("from", os::to_text(*from));
  if (protocol != 0) object.Set("protocol", protocol);
  set_ports(env, object, "destinationPorts", destination);
  set_ports(env, object, "sourcePorts", source);
  object.Set("routes", make_array(env, policy.routes, make_route));
  return object;
}

}  // namespace

Napi::Object make_interface(Napi::Env env, const os::InterfaceInfo& info) {
  auto object = Napi::Object::New(env);
  object.Set("index", info.index);
  object.Set("name", info.name);
  object.Set("alias", info.alias);
  object.Set("kind", info.kind);
  object.Set("mac", info.mac ? os::to_text(*info.mac) : "");
  object.Set("mtu", info.mtu);
  object.Set("up", info.up);
  object.Set("running", info.running);
  object.Set("addresses", make_array(env, info.addresses, make_address));
  object.Set("routes", make_array(env, info.routes, make_route));
  object.Set("neighbours", make_array(env, info.neighbours, make_neighbour));
  object.Set("policies", make_array(env, info.policies, make_policy));
  object.Set("allowsPing", info.allows_ping);
  if (!info.device.empty()) object.Set("device", info.device);
  if (info.tunnel) object.Set("tunnel", make_tunnel(env, *info.tunnel));
  if (info.uplink) object.Set("uplink", make_uplink(env, *info.uplink));
  return object;
}

Napi::Object make_namespace_identity(Napi::Env env, const os::NamespaceIdentity& identity) {
  auto object = Napi::Object::New(env);
  object.Set("device", static_cast<double>(identity.device));
  object.Set("inode", static_cast<double>(identity.inode));
  return object;
}

Napi::Object make_namespace_entry(Napi::Env env, const os::NamespaceEntry& entry) {
  auto object = make_namespace_identity(env, entry.identity);
  object.Set("path", entry.path);
  return object;
}

}  // namespace crosswire::binding

// SPDX-License-Identifier: Apache-2.0
#include "binding/vlan_values.hpp"

#include "binding/interface_arguments.hpp"

namespace crosswire::binding {

namespace {

constexpr uint32_t highest_vlan = 4094;  // IEEE 802.1Q

}  // namespace

os::VlanDevice read_vlan_device(const Fields& fields) {
  return {read_reference(fields),  fields.string("alias"),
          read_mac(fields),        fields.integer("mtu", 1, highest_mtu),
          fields.string("device"), static_cast<uint16_t>(fields.integer("id", 0, highest_vlan)),
          fields.string("uplink")};
}

Napi::Object make_uplink(Napi::Env env, const os::Uplink& uplink) {
  auto object = Napi::Object::New(env);
  object.Set("device", uplink.device);
  object.Set("id", uplink.id);
  object.Set("name", uplink.name);
  object.Set("mac", uplink.mac ? os::to_text(*uplink.mac) : "");
  object.Set("sound", uplink.sound);
  return object;
}

}  // namespace crosswire::binding

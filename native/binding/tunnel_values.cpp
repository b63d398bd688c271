// SPDX-License-Identifier: Apache-2.0
#include "binding/tunnel_values.hpp"

#include "binding/interface_arguments.hpp"

namespace crosswire::binding {

namespace {

constexpr uint32_t highest_vni = (1U << 24) - 1;

uint16_t read_udp_port(const Fields& fields, const char* name) {
  return static_cast<uint16_t>(fields.integer(name, 1, UINT16_MAX));
}

os::TunnelKey read_key(const Fields& fields, const char* name) {
  const auto key = os::parse_tunnel_key(fields.string(name));
  if (!key) fields.refuse(name, "must be 32 bytes in base64");
  return *key;
}

void read(const Fields& fields, os::VxlanParameters& tunnel) {
  tunnel = {read_ip_address(fields, "local"), read_ip_address(fields, "remote"), read_udp_port(fields, "port"),
            fields.integer("vni", 0, highest_vni)};
  if (tunnel.local.family != tunnel.remote.family) fields.refuse("remote", "must be of the family of 'local'");
}

void read(const Fields& fields, os::WireguardParameters& parameters) {
  parameters.tunnel = {read_udp_port(fields, "localPort"), read_ip_address(fields, "remote"),
                       read_udp_port(fields, "remotePort"), read_key(fields, "publicKey")};
  parameters.private_key = read_key(fields, "privateKey");
}

void render(const os::VxlanParameters& tunnel, Napi::Object object) {
  object.Set("local", os::to_text(tunnel.local));
  object.Set("remote", os::to_text(tunnel.remote));
  object.Set("port", tunnel.port);
  object.Set("vni", tunnel.vni);
}

void render(const os::WireguardState& state, Napi::Object object) {
  object.Set("localPort", state.tunnel.port);
  object.Set("remote", os::to_text(state.tunnel.remote));
  object.Set("remotePort", state.tunnel.remote_port);
  object.Set("publicKey", os::to_text(state.tunnel.peer));
  object.Set("ownPublicKey", os::to_text(state.public_key));
  object.Set("handshake", static_cast<double>(state.handshake));
}

}  // namespace

os::TunnelParameters read_tunnel(const Fields& fields) {
  const auto kind = fields.string("kind");
  std::optional<os::TunnelParameters> tunnel;
  std::string kinds;
  os::each_tunnel_kind([&]<class Kind>(std::type_identity<Kind>) {
    kinds += (kinds.empty() ? "'" : " or '") + std::string(Kind::kind) + "'";
    if (kind != Kind::kind) return;
    Kind parameters;
    read(fields, parameters);
    tunnel = parameters;
  });
  if (!tunnel) fields.refuse("kind", "must be " + kinds);
  return *tunnel;
}

Napi::Object make_tunnel(Napi::Env env, const os::TunnelState& tunnel) {
  auto object = Napi::Object::New(env);
  os::each_tunnel_kind([&]<class Kind>(std::type_identity<Kind>) {
    const auto* state = std::get_if<typename Kind::State>(&tunnel);
    if (state == nullptr) return;
    object.Set("kind", Kind::kind);
    render(*state, object);
  });
  return object;
}

}  // namespace crosswire::binding

// SPDX-License-Identifier: Apache-2.0
#include "binding/engine_arguments.hpp"

#include <algorithm>
#include <cmath>

#include "binding/errors.hpp"
#include "binding/tunnel_values.hpp"
#include "os/tunnel.hpp"

namespace crosswire::binding {
namespace {

constexpr uint32_t most_workers = 64;
constexpr uint32_t largest_cpu = 1023;  // of a cpu_set_t, CPU_SET(3)
constexpr uint32_t shortest_mtu = 68;   // RFC 791
constexpr uint32_t longest_mtu = 65535;
constexpr uint32_t longest_link_header = 14 + 2 * 4;  // Ethernet with two VLAN tags

Payload read_payload(const Fields& fields) {
  const std::string payload = fields.string("payload");
  if (payload != "ethernet" && payload != "ip") fields.refuse("payload", "must be 'ethernet' or 'ip'");
  return payload == "ip" ? Payload::ip : Payload::ethernet;
}

uint32_t read_mtu(const Fields& fields) { return fields.integer("mtu", shortest_mtu, longest_mtu); }

KernelLink::Options read_tap(const Fields& fields) {
  return {fields.string("name"), read_payload(fields), read_mtu(fields),
          TunInterface{fields.string("netns"), fields.string("interface")}};
}

KernelLink::Options read_device(const Fields& fields) {
  return {fields.string("name"), Payload::ethernet, read_mtu(fields),
          PacketInterface{fields.string("netns"), fields.string("interface")}};
}

KernelLink::Options read_tunnel_end(const Fields& fields) {
  const auto payload = read_payload(fields);
  const auto tunnel = read_tunnel(fields.object("tunnel"));
  if (os::payload_of(tunnel) != payload) fields.refuse("payload", "is not what the tunnel carries");
  return {fields.string("name"), payload, read_mtu(fields), tunnel};
}

memif::Options read_memif(const Fields& fields) {
  const std::string role = fields.string("role");
  if (role != "server" && role != "client") fields.refuse("role", "must be 'server' or 'client'");
  memif::Options options;
  options.name = fields.string("name");
  options.socket = fields.string("socket");
  options.netns = fields.string("netns");
  options.role = role == "client" ? memif::Role::client : memif::Role::server;
  options.id = fields.integer("id", 0, UINT32_MAX);
  options.payload = read_payload(fields);
  options.secret = fields.string("secret");
  options.rings = fields.integer("rings", 1, UINT32_MAX);
  options.ring_size = fields.integer("ringSize", 1, UINT32_MAX);
  options.buffer_size = fields.integer("bufferSize", 1, UINT32_MAX);
  options.allow_unsealed = fields.boolean("allowUnsealed", false);
  const uint32_t header = options.payload == Payload::ethernet ? longest_link_header : 0;
  options.max_frame = std::min(max_frame_length, read_mtu(fields) + header);
  return options;
}

}  // namespace

EngineOptions read_engine_options(const Fields& fields) {
  EngineOptions options;
  options.workers = fields.optional_integer("workers", 1, most_workers).value_or(options.workers);
  for (const uint32_t cpu : fields.integers("cpus", largest_cpu)) options.cpus.push_back(static_cast<int>(cpu));
  options.busy_poll = fields.boolean("busyPoll", options.busy_poll);
  return options;
}

LinkRequest read_link_request(const Fields& fields) {
  const std::string kind = fields.string("kind");
  if (kind == "tap") return read_tap(fields);
  if (kind == "device") return read_device(fields);
  if (kind == "memif") return read_memif(fields);
  if (kind == "tunnel") return read_tunnel_end(fields);
  fields.refuse("kind", "must be 'tap', 'device', 'memif' or 'tunnel'");
}

WireRequest read_wire_request(const Fields& fields) {
  return {fields.string("name"), read_payload(fields), read_link_request(fields.object("client")),
          read_link_request(fields.object("endpoint"))};
}

memif::ProxyOptions read_proxy_options(const Fields& fields) {
  const auto place = [](const Fields& end) { return memif::SocketPlace{end.string("socket"), end.string("netns")}; };
  return {place(fields.object("listen")), place(fields.object("dial"))};
}

uint64_t handle_argument(const Napi::CallbackInfo& info, size_t index, const char* operation) {
  constexpr double largest = 9007199254740991;  // Number.MAX_SAFE_INTEGER
  const double number = info[index].IsNumber() ? info[index].As<Napi::Number>().DoubleValue() : -1;
  if (!(number >= 0 && number <= largest && number == std::floor(number))) {
    throw_invalid_argument(info.Env(), operation, "argument " + std::to_string(index + 1), "must be a wire's id");
  }
  return static_cast<uint64_t>(number);
}

EndName end_argument(const Napi::CallbackInfo& info, size_t index, const char* operation) {
  const std::string end = string_argument(info, index, operation);
  if (end != "client" && end != "endpoint") {
    throw_invalid_argument(info.Env(), operation, "argument " + std::to_string(index + 1),
                           "must be 'client' or 'endpoint'");
  }
  return end == "client" ? EndName::client : EndName::endpoint;
}

}  // namespace crosswire::binding

// SPDX-License-Identifier: Apache-2.0
#include "os/tunnel_port.hpp"

#include "os/netns.hpp"
#include "os/packet_socket.hpp"
#include "os/tunnel.hpp"

namespace crosswire::os {

namespace {

constexpr const char* operation = "open tunnel port";
constexpr const char* device_name = "tunnel";
constexpr MacAddress nobody{0x02, 0, 0, 0, 0, 0x01};

}  // namespace

std::string TunnelPort::path() const { return descriptor_path(namespace_); }

Result<TunnelPort> TunnelPort::open(const TunnelParameters& tunnel, uint32_t mtu) {
  auto made = make_namespace();
  if (!made) return std::move(made).error();
  TunnelPort port(std::move(made).value());
  if (auto done = port.make_device(tunnel, mtu); !done) return std::move(done).error();
  auto socket = open_packet_socket(port.path(), device_name);
  if (!socket) return std::move(socket).error();
  port.socket_ = std::move(socket).value();
  return port;
}

Result<> TunnelPort::make_device(const TunnelParameters& tunnel, uint32_t mtu) const {
  const InterfaceReference device{path(), device_name};
  const auto mac = payload_of(tunnel) == Payload::ethernet ? std::optional(nobody) : std::nullopt;
  auto done = create_tunnel({device, operation, mac, port_mtu(tunnel, mtu)}, tunnel);
  if (!done) return done;
  InterfaceChange up;
  up.interface = device;
  up.alias = operation;
  up.up = true;
  return change_interface(up);
}

TunnelPort::~TunnelPort() {
  if (!namespace_) return;  // moved from
  socket_.reset();
  (void)delete_interface({path(), device_name}, operation);
}

}  // namespace crosswire::os

// SPDX-License-Identifier: Apache-2.0
#include "os/tunnel_port.hpp"

#include <sys/socket.h>

#include <algorithm>

#include "os/netns.hpp"
#include "os/packet_socket.hpp"

namespace crosswire::os {

namespace {

constexpr const char* operation = "open tunnel port";
constexpr const char* device_name = "tunnel";
constexpr uint32_t vlan_tag = 4;
// 65535 less outer IP, UDP, VXLAN and an Ethernet header: the most the device takes (vxlan_config_apply()).
constexpr uint32_t longest_v4 = 65485, longest_v6 = 65465;

Result<> create_device(const InterfaceReference& device, const Tunnel& tunnel, uint32_t mtu) {
  const uint32_t longest = tunnel.local.family == AF_INET ? longest_v4 : longest_v6;
  const MacAddress nobody{0x02, 0, 0, 0, 0, 0x01};
  // A packet socket refuses what is longer than the device's MTU: a second tag must not count (packet_snd()).
  return create_vxlan({device, operation, nobody, std::min(mtu + vlan_tag, longest), tunnel});
}

Result<> create_device(const InterfaceReference& device, const WireguardEnd& end, uint32_t mtu) {
  return create_wireguard({device, operation, mtu, end.tunnel, end.private_key});
}

}  // namespace

std::string TunnelPort::path() const { return descriptor_path(namespace_); }

Result<TunnelPort> TunnelPort::open(const TunnelEnd& tunnel, uint32_t mtu) {
  auto made = make_namespace();
  if (!made) return std::move(made).error();
  TunnelPort port(std::move(made).value());
  if (auto done = port.make_device(tunnel, mtu); !done) return std::move(done).error();
  auto socket = open_packet_socket(port.path(), device_name);
  if (!socket) return std::move(socket).error();
  port.socket_ = std::move(socket).value();
  return port;
}

Result<> TunnelPort::make_device(const TunnelEnd& tunnel, uint32_t mtu) const {
  const InterfaceReference device{path(), device_name};
  auto done = std::visit([&](const auto& end) { return create_device(device, end, mtu); }, tunnel);
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

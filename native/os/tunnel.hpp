// SPDX-License-Identifier: Apache-2.0
// Creates and reads tunnels to another node, which are devices of the kernel, of every kind (os/tunnel_kinds.hpp).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/frame.hpp"
#include "core/result.hpp"
#include "os/interface.hpp"

namespace crosswire::os {

struct TunnelDevice {
  InterfaceReference interface;
  std::string alias;
  std::optional<MacAddress> mac;  // for a tunnel of Ethernet frames
  uint32_t mtu = 0;
};
// The device is created in its namespace, down, and never appears elsewhere; its UDP socket belongs to the process's
// own namespace. Errors: TUNNEL_REFUSED, and those of adopt_interface().
Result<> create_tunnel(const TunnelDevice& device, const TunnelParameters& tunnel);

const char* kind_of(const TunnelParameters& tunnel);
Payload payload_of(const TunnelParameters& tunnel);
std::string describe(const TunnelParameters& tunnel);  // in words
// The MTU of a tunnel port (os/tunnel_port.hpp) that carries IP packets of `mtu` bytes.
uint32_t port_mtu(const TunnelParameters& tunnel, uint32_t mtu);

// By kind: whether the kernel has it, or could load it now. A kind is absent if the kernel has no way to say.
std::map<std::string, bool> supported_tunnels();

// From the attributes of a link of this kind; empty: it is no tunnel, or the attributes do not describe it.
std::optional<TunnelState> tunnel_of(const Attributes& link, const std::string& kind);
// Fills in the tunnels that the attributes of a link do not describe. A device that vanishes meanwhile stays without.
// Errors: NETLINK_FAILED, PERMISSION_DENIED.
Result<> read_tunnels(const std::string& netns, std::vector<InterfaceInfo>& interfaces);

}  // namespace crosswire::os

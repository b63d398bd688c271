// SPDX-License-Identifier: Apache-2.0
// Tunnels to another node, as devices of the kernel: making and reading them, whatever their kind
// (os/tunnel_kinds.hpp).
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
// The device is born in its namespace, down, and never seen elsewhere; its UDP socket belongs to the caller's own
// namespace. Errors: TUNNEL_REFUSED, and those of adopt_interface().
Result<> create_tunnel(const TunnelDevice& device, const TunnelParameters& tunnel);

const char* kind_of(const TunnelParameters& tunnel);
Payload payload_of(const TunnelParameters& tunnel);
std::string describe(const TunnelParameters& tunnel);  // in words
// The MTU that a device of the engine's own needs for IP packets of `mtu`, without tags.
uint32_t port_mtu(const TunnelParameters& tunnel, uint32_t mtu);

// By kind: the kernel has it, or could load it just now. Without the kinds of which the kernel cannot be asked.
std::map<std::string, bool> supported_tunnels();

// From the attributes of a link of this kind; empty: it is no tunnel, or they do not tell.
std::optional<TunnelState> tunnel_of(const Attributes& link, const std::string& kind);
// Fills in the tunnels that the attributes of a link do not tell. A device that goes meanwhile stays without. Errors:
// NETLINK_FAILED, PERMISSION_DENIED.
Result<> read_tunnels(const std::string& netns, std::vector<InterfaceInfo>& interfaces);

}  // namespace crosswire::os

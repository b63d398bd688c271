// SPDX-License-Identifier: Apache-2.0
// Parts of a host device: a private macvlan for one wire alone, with or without a VLAN device above it
// (docs/decisions/012-vlan.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "os/interface.hpp"

namespace crosswire::os {

class Attributes;

struct VlanDevice {
  InterfaceReference interface;
  std::string alias;
  MacAddress mac{};
  uint32_t mtu = 0;
  std::string device;  // the host device, in the process's own namespace
  uint16_t id = 0;     // VLAN identifier; 0: frames without a tag
  std::string uplink;  // the name there of the macvlan below the VLAN device; unused for id 0
};
// Makes a macvlan of the device in private mode, which exchanges frames with whatever is behind the device and with no
// other macvlan of it (drivers/net/macvlan.c). With an id, the macvlan stays in the process's own namespace, up, and
// closed to that namespace's own traffic; the interface is a VLAN device above it, born in its namespace, down.
// Deleting the macvlan deletes both. A macvlan left by an earlier attempt is deleted first. Errors:
// HOST_DEVICE_MISSING, HOST_DEVICE_REFUSED, SYSCTL_REFUSED.
Result<> create_vlan(const VlanDevice& device);

// From the attributes of a link of this kind, as far as they tell; empty: it is no VLAN device or macvlan.
std::optional<Uplink> uplink_of(const Attributes& link, const std::string& kind);
// Completes what uplink_of() found, from the process's own namespace.
Result<> read_uplinks(std::vector<InterfaceInfo>& interfaces);

}  // namespace crosswire::os

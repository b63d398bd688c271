// SPDX-License-Identifier: Apache-2.0
// Requests about interfaces, from the shapes of src/dataplane/types.ts.
#pragma once

#include "binding/arguments.hpp"
#include "os/interface.hpp"
#include "os/tun.hpp"
#include "os/tunnel.hpp"

namespace crosswire::binding {

constexpr uint32_t highest_mtu = 65535;

os::MacAddress read_mac(const Fields& fields);  // mac
os::IpAddress read_ip_address(const Fields& fields, const char* name);
os::InterfaceReference read_reference(const Fields& fields);            // netns, name
std::optional<os::MacAddress> read_optional_mac(const Fields& fields);  // mac
os::VethSide read_veth_side(const Fields& fields);
os::TunnelDevice read_tunnel_device(const Fields& fields);
os::InterfaceChange read_change(const Fields& fields);
os::InterfaceQuery read_query(const Fields& fields);

struct TapRequest {
  os::InterfaceReference interface;
  os::TunKind kind;
  os::InterfaceTraits traits;
};
TapRequest read_tap_request(const Fields& fields);

}  // namespace crosswire::binding

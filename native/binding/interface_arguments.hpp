// SPDX-License-Identifier: Apache-2.0
// Requests about interfaces, from the shapes of src/dataplane/types.ts.
#pragma once

#include "binding/arguments.hpp"
#include "os/interface.hpp"
#include "os/tun.hpp"

namespace crosswire::binding {

os::InterfaceReference read_reference(const Fields& fields);            // netns, name
std::optional<os::MacAddress> read_optional_mac(const Fields& fields);  // mac
os::VethSide read_veth_side(const Fields& fields);
os::Tunnel read_tunnel(const Fields& fields);  // local, remote, port, vni
os::VxlanDevice read_vxlan_device(const Fields& fields);
os::VlanDevice read_vlan_device(const Fields& fields);
os::WireguardTunnel read_wireguard_tunnel(const Fields& fields);  // localPort, remote, remotePort, publicKey
os::WireguardKey read_private_key(const Fields& fields);
os::WireguardDevice read_wireguard_device(const Fields& fields);
os::InterfaceChange read_change(const Fields& fields);
os::InterfaceQuery read_query(const Fields& fields);

struct TapRequest {
  os::InterfaceReference interface;
  os::TunKind kind;
  os::InterfaceTraits traits;
};
TapRequest read_tap_request(const Fields& fields);

}  // namespace crosswire::binding

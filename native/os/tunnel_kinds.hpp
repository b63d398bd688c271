// SPDX-License-Identifier: Apache-2.0
// The kinds of tunnel: the only list of them. Each is one type with the members that os/tunnel.cpp uses:
//
//   kind, title, payload       its name in IFLA_INFO_KIND, its name for people, what it carries
//   State                      what can be seen of a device that was made so
//   describe()                 the tunnel in words
//   port_mtu(mtu)              MTU that a device of the engine's own needs for IP packets of `mtu`
//   put(message)               adds IFLA_INFO_DATA, if the kind has any, to the request for a device
//   advice(errno)              what a refused request means, to add to the kernel's text; may be empty
//   configure(interface)       sets what a new device must be told after its creation
//   is_supported()             whether the kernel has the kind, or could load it now; empty: unknown
//   read_link(link)            State from the attributes of a link of the kind; empty: they lack it
//   read(netns, interfaces)    fills in State that takes other requests, for interfaces of the kind
#pragma once

#include <type_traits>
#include <variant>

#include "os/vxlan.hpp"
#include "os/wireguard.hpp"

namespace crosswire::os {

// What the device of a tunnel is told.
using TunnelParameters = std::variant<VxlanParameters, WireguardParameters>;

namespace detail {
template <class Variant>
struct Kinds;
template <class... Kind>
struct Kinds<std::variant<Kind...>> {
  using State = std::variant<typename Kind::State...>;
  template <class Visit>
  static void each(const Visit& visit) {
    (visit(std::type_identity<Kind>{}), ...);
  }
};
}  // namespace detail

using TunnelState = detail::Kinds<TunnelParameters>::State;

// visit(std::type_identity<Kind>) for each kind.
template <class Visit>
void each_tunnel_kind(const Visit& visit) {
  detail::Kinds<TunnelParameters>::each(visit);
}

}  // namespace crosswire::os

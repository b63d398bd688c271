// SPDX-License-Identifier: Apache-2.0
// The kinds of tunnel: the only list of them. Each is one type with the members that os/tunnel.cpp uses:
//
//   kind, title, payload       its name in IFLA_INFO_KIND, its name for people, what it carries
//   State                      what can be seen of a device that was made so
//   describe()                 the tunnel in words
//   port_mtu(mtu)              MTU that a device of the engine's own needs for IP packets of `mtu`
//   put(message)               adds IFLA_INFO_DATA, where it has any, to the request for a device
//   advice(errno)              what a refusal of that request means, to be put behind the kernel's own words; or
//   nothing configure(interface)       what a new device must be told besides is_supported()             whether the
//   kernel has it, or could load it just now; empty: it cannot be asked read_link(link)            State from the
//   attributes of a link of its kind; empty: they do not tell it read(netns, interfaces)    State that must be asked
//   for otherwise, filled in for interfaces of its kind
#pragma once

#include <type_traits>
#include <variant>

#include "os/vxlan.hpp"
#include "os/wireguard.hpp"

namespace crosswire::os {

// What a tunnel's device is told.
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

// SPDX-License-Identifier: Apache-2.0
// Interfaces of a network namespace: making, changing, removing and reading them over netlink. Synchronous, to be
// called on an addon thread: every call enters the namespace for a moment and keeps nothing of it open afterwards.
//
// Error codes of this room, all stable:
//   NAMESPACE_MISSING    the path does not exist
//   NAMESPACE_INVALID    the path is no network namespace
//   NAMESPACE_DENIED     it cannot be opened or entered (CAP_SYS_ADMIN)
//   PERMISSION_DENIED    the kernel refuses a change (CAP_NET_ADMIN)
//   INTERFACE_EXISTS     the name is taken
//   INTERFACE_MISSING    there is no interface of this name
//   INTERFACE_NOT_OURS   its alias is not the expected ownership mark
//   INTERFACE_REFUSED    the kernel refuses a name, MTU, MAC, alias, queue length or state
//   TUNNEL_REFUSED       … to make a tunnel's device
//   HOST_DEVICE_MISSING       there is no host device of this name
//   HOST_DEVICE_REFUSED       the kernel refuses to share it
//   ADDRESS_REFUSED      … an address
//   ROUTE_REFUSED        … a route
//   NEIGHBOUR_REFUSED    … a neighbour
//   POLICY_REFUSED       … a rule of policy routing
//   SYSCTL_REFUSED       … a setting below /proc/sys/net
//   NETLINK_FAILED       a netlink socket or a dump failed
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "os/address.hpp"
#include "os/tunnel_kinds.hpp"

namespace crosswire::os {

// Marks the routes, rules and neighbours that are ours: a number that rtnetlink.h and iproute2's rt_protos leave
// unassigned.
constexpr uint8_t routing_protocol = 0xC7;

struct InterfaceReference {
  std::string netns;  // path; empty: the process's own
  std::string name;
};

struct Route {
  IpPrefix to;
  std::optional<IpAddress> via;
  bool operator==(const Route&) const = default;
};

struct Neighbour {
  IpAddress address;
  MacAddress mac{};
  bool operator==(const Neighbour&) const = default;
};

struct PortRange {
  uint16_t first = 0, last = 0;  // 0: any
  bool operator==(const PortRange&) const = default;
};

// Which packets a policy is for. No two of an interface have the same.
struct PolicyMatch {
  std::optional<IpPrefix> from;
  uint8_t protocol = 0;  // of IP; 0: any
  PortRange destination_ports, source_ports;
  bool operator==(const PolicyMatch&) const = default;
};

struct Policy {
  PolicyMatch match;
  std::vector<Route> routes;  // in a table of its own
};

// As the kernel counts: rx is what arrived in the namespace through the interface.
struct InterfaceStatistics {
  uint64_t rx_packets = 0, tx_packets = 0, rx_bytes = 0, tx_bytes = 0;
  uint64_t rx_errors = 0, tx_errors = 0, rx_dropped = 0, tx_dropped = 0;
};

// Behind the mark of an interface: the mark of the macvlan below it.
constexpr const char* uplink_suffix = "/uplink";

// What an interface has of a host device: a macvlan of its own in private mode, and nothing that others see.
struct Uplink {
  std::string device;             // by its name now; empty: it is not there
  uint16_t id = 0;                // VLAN identifier; 0: the interface is the macvlan itself
  std::string name;               // of the macvlan, in the process's own namespace; empty for id 0
  std::optional<MacAddress> mac;  // of the macvlan
  uint32_t lower = 0;             // index of what the interface is above
  bool sound = false;             // private, as long as the device, and up if it is another than the interface
};

struct InterfaceInfo {
  uint32_t index = 0;
  std::string name;
  std::string alias;
  std::string kind;    // as the kernel names it, but "tap" for a TUN of that type; empty for hardware
  std::string device;  // address of the PCI function that it is of; empty for none, and before Linux 5.14
  std::optional<MacAddress> mac;
  uint32_t mtu = 0;
  uint32_t transmit_queue_length = 0;
  bool up = false;
  bool running = false;
  InterfaceStatistics statistics;
  std::vector<IpPrefix> addresses;    // without IPv6 link-local ones
  std::vector<Route> routes;          // with our routing_protocol
  std::vector<Neighbour> neighbours;  // permanent ones
  std::vector<Policy> policies;       // with our routing_protocol
  bool allows_ping = false;           // to everybody in its namespace, and IPv6 is not disabled on it
  std::optional<TunnelState> tunnel;  // of a tunnel's device as create_tunnel() makes it
  std::optional<Uplink> uplink;       // of a vlan or macvlan device
};

struct InterfaceQuery {
  std::string netns;
  std::optional<std::string> alias_prefix;  // those whose alias begins so …
  std::vector<std::string> names;           // … and those with these names
  bool details = true;                      // addresses, routes and neighbours too
};
// A prefix costs a dump of all links of the namespace; names alone are asked for one by one. Details cost a walk
// through the tables of the whole namespace.
Result<std::vector<InterfaceInfo>> list_interfaces(const InterfaceQuery& query);

// In the order asked; empty where the interface or its namespace is gone.
Result<std::vector<std::optional<InterfaceStatistics>>> read_statistics(const std::vector<InterfaceReference>& asked);

struct VethSide {
  InterfaceReference interface;
  std::string alias;
  MacAddress mac{};
  uint32_t mtu = 0;
};
// Both sides are born in their namespaces, down, and never appear elsewhere. The kernel takes no alias at birth, so
// for a moment there is a pair without a mark: give it random names that a clean-up can tell.
Result<> create_veth_pair(const VethSide& a, const VethSide& b);

struct VlanDevice {
  InterfaceReference interface;
  std::string alias;
  MacAddress mac{};
  uint32_t mtu = 0;
  std::string device;  // of the process's own namespace
  uint16_t id = 0;     // 0: frames without a tag
  std::string uplink;  // a name there for the macvlan that a VLAN device is above; unused for id 0
};
// A macvlan of the device in private mode, for this interface alone: it reaches whatever is behind the device, and no
// other such interface (drivers/net/macvlan.c). With an id it stays in the process's own namespace, up, and closed to
// that namespace's own traffic; the interface is a VLAN device above it, born in its namespace, down. Deleting the
// macvlan deletes both. One that was left of an earlier try goes first. Errors: HOST_DEVICE_MISSING,
// HOST_DEVICE_REFUSED, SYSCTL_REFUSED.
Result<> create_vlan(const VlanDevice& device);

// Marks and shapes an interface that the caller has just made, in one step; deletes it if that fails.
struct InterfaceTraits {
  std::string alias;
  std::optional<MacAddress> mac;
  uint32_t mtu = 0;
  uint32_t transmit_queue_length = 0;
};
Result<> adopt_interface(const InterfaceReference& interface, const InterfaceTraits& traits);

// One ordered batch: removals, rename, MTU, MAC, ping, addresses, up or down, routes, neighbours, policies. Adding what
// is there and removing what is gone are successes. If a step fails, those before it are undone, in reverse, as far as
// the kernel lets us (what `down` flushed is lost). Addresses and routes of ours that the kernel drops along with a
// removed address are put back.
struct InterfaceChange {
  InterfaceReference interface;
  std::string alias;  // the interface's must be equal
  std::optional<std::string> rename;
  std::optional<uint32_t> mtu;
  std::optional<MacAddress> mac;
  std::optional<bool> up;
  std::vector<IpPrefix> add_addresses, remove_addresses;
  std::vector<Route> add_routes, remove_routes;
  std::vector<Neighbour> add_neighbours, remove_neighbours;
  bool allow_ping = false;                      // never taken back: it is the namespace's
  std::optional<std::vector<Policy>> policies;  // all that there are to be
};
Result<> change_interface(const InterfaceChange& change);

// Sets the alias, which must be `from` now; an empty one takes it away.
Result<> mark_interface(const InterfaceReference& interface, const std::string& from, const std::string& alias);

// Into another namespace under another name, in one step; it arrives there down and without addresses. Its alias must
// be `alias`; one without an alias gets it first.
struct InterfaceMove {
  InterfaceReference interface;
  std::string alias;
  std::string to;  // a namespace's path; empty: the process's own
  std::string rename;
};
Result<> move_interface(const InterfaceMove& move);

// With the rules of its policies. False: the interface, or its whole namespace, is gone already.
Result<bool> delete_interface(const InterfaceReference& interface, const std::string& alias);

}  // namespace crosswire::os

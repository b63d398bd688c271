// SPDX-License-Identifier: Apache-2.0
// Creates, changes, deletes and reads interfaces of a network namespace over netlink. Synchronous, to be called on an
// addon thread: every call enters the namespace briefly and leaves nothing of it open.
//
// Error codes of this room, all stable:
//   NAMESPACE_MISSING    the path does not exist
//   NAMESPACE_INVALID    the path is not a network namespace
//   NAMESPACE_DENIED     it cannot be opened or entered (CAP_SYS_ADMIN)
//   PERMISSION_DENIED    the kernel refuses a change (CAP_NET_ADMIN)
//   INTERFACE_EXISTS     the name is taken
//   INTERFACE_MISSING    there is no interface of this name
//   INTERFACE_NOT_OURS   its alias is not the expected ownership mark
//   INTERFACE_REFUSED    the kernel refuses a name, MTU, MAC, alias, queue length or state
//   TUNNEL_REFUSED       … to create a tunnel device
//   HOST_DEVICE_MISSING  there is no host device of this name
//   HOST_DEVICE_REFUSED  the kernel refuses to share it
//   ADDRESS_REFUSED      the kernel refuses an address
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

// Marks our routes, rules and neighbours. rtnetlink.h and iproute2's rt_protos leave the number unassigned.
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

// The packets that a policy applies to. Unique among the policies of an interface.
struct PolicyMatch {
  std::optional<IpPrefix> from;
  uint8_t protocol = 0;  // of IP; 0: any
  PortRange destination_ports, source_ports;
  bool operator==(const PolicyMatch&) const = default;
};

struct Policy {
  PolicyMatch match;
  std::vector<Route> routes;  // in the policy's own table
};

// As the kernel counts: rx is what arrived in the namespace through the interface.
struct InterfaceStatistics {
  uint64_t rx_packets = 0, tx_packets = 0, rx_bytes = 0, tx_bytes = 0;
  uint64_t rx_errors = 0, tx_errors = 0, rx_dropped = 0, tx_dropped = 0;
};

// The mark of the macvlan below a VLAN device is the mark of that device with this suffix.
constexpr const char* uplink_suffix = "/uplink";

// How an interface is joined to a host device: by a private macvlan, see os/vlan.hpp.
struct Uplink {
  std::string device;             // the current name of the host device; empty: it is missing
  uint16_t id = 0;                // of the tag; 0: the interface is the macvlan itself
  std::string name;               // of the macvlan, in the process's own namespace; empty for id 0
  std::optional<MacAddress> mac;  // of the macvlan
  uint32_t lower = 0;             // index of the device directly below the interface
  bool sound = false;             // the macvlan is private, has the device's MTU, and is up if below a VLAN device
};

struct InterfaceInfo {
  uint32_t index = 0;
  std::string name;
  std::string alias;
  std::string kind;    // the kernel's name, but "tap" for a TUN device of type TAP; empty for hardware
  std::string device;  // address of its PCI function; empty for none, and before Linux 5.14
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
  bool allows_ping = false;           // everybody in its namespace may ping, and IPv6 is enabled on it
  std::optional<TunnelState> tunnel;  // of a tunnel device as create_tunnel() makes it
  std::optional<Uplink> uplink;       // of a part of a host device, see os/vlan.hpp
};

struct InterfaceQuery {
  std::string netns;
  std::optional<std::string> alias_prefix;  // those whose alias begins so …
  std::vector<std::string> names;           // … and those with these names
  bool details = true;                      // addresses, routes and neighbours too
};
// A prefix costs a dump of all links of the namespace; names alone cost one request each. Details cost a walk through
// the tables of the whole namespace.
Result<std::vector<InterfaceInfo>> list_interfaces(const InterfaceQuery& query);

// In the order asked; empty where the interface or its namespace is gone.
Result<std::vector<std::optional<InterfaceStatistics>>> read_statistics(const std::vector<InterfaceReference>& asked);

struct VethSide {
  InterfaceReference interface;
  std::string alias;
  MacAddress mac{};
  uint32_t mtu = 0;
};
// Both sides are created in their namespaces, down, and never appear elsewhere. The kernel takes no alias at creation,
// so the pair briefly has no mark: give it random names that a clean-up recognises.
Result<> create_veth_pair(const VethSide& a, const VethSide& b);

// Marks and shapes an interface that the caller has just made, in one step; deletes it if that fails.
struct InterfaceTraits {
  std::string alias;
  std::optional<MacAddress> mac;
  uint32_t mtu = 0;
  uint32_t transmit_queue_length = 0;
};
Result<> adopt_interface(const InterfaceReference& interface, const InterfaceTraits& traits);

// One ordered batch: removals, rename, MTU, MAC, ping, addresses, up or down, routes, neighbours, policies. It is a
// success to add what exists and to remove what does not. If a step fails, the previous ones are undone in reverse, as
// far as the kernel permits (what `down` flushed is lost). Addresses and routes of ours that the kernel drops together
// with a removed address are added again.
struct InterfaceChange {
  InterfaceReference interface;
  std::string alias;  // must equal that of the interface
  std::optional<std::string> rename;
  std::optional<uint32_t> mtu;
  std::optional<MacAddress> mac;
  std::optional<bool> up;
  std::vector<IpPrefix> add_addresses, remove_addresses;
  std::vector<Route> add_routes, remove_routes;
  std::vector<Neighbour> add_neighbours, remove_neighbours;
  bool allow_ping = false;                      // a setting of the namespace, which is never reset
  std::optional<std::vector<Policy>> policies;  // the complete new set
};
Result<> change_interface(const InterfaceChange& change);

// Sets the alias, which must currently be `from`; an empty alias removes it.
Result<> mark_interface(const InterfaceReference& interface, const std::string& from, const std::string& alias);

// Moves an interface to another namespace under another name, atomically; it arrives down and without addresses. Its
// alias must be `alias`; an interface without an alias gets it first.
struct InterfaceMove {
  InterfaceReference interface;
  std::string alias;
  std::string to;  // a namespace's path; empty: the process's own
  std::string rename;
};
Result<> move_interface(const InterfaceMove& move);

// Deletes the rules of its policies, too. False: the interface, or its whole namespace, does not exist any more.
Result<bool> delete_interface(const InterfaceReference& interface, const std::string& alias);

}  // namespace crosswire::os

// SPDX-License-Identifier: Apache-2.0
#include "binding/interface_arguments.hpp"

namespace crosswire::binding {

namespace {

constexpr uint32_t longest_queue = 1U << 20;
constexpr uint32_t highest_port = 65534;  // net/fib_rules.h, fib_rule_port_range_valid
constexpr size_t most_policies = 64;

std::vector<os::IpPrefix> read_addresses(const Fields& fields, const char* name) {
  std::vector<os::IpPrefix> addresses;
  for (const auto& text : fields.strings(name)) {
    const auto prefix = os::parse_ip_prefix(text);
    if (!prefix) fields.refuse(name, "must be IP addresses with a prefix length, not '" + text + "'");
    addresses.push_back(*prefix);
  }
  return addresses;
}

std::vector<os::Route> read_routes(const Fields& fields, const char* name) {
  std::vector<os::Route> routes;
  for (const auto& item : fields.objects(name)) {
    const auto to = os::parse_ip_prefix(item.string("to"));
    if (!to) item.refuse("to", "must be an IP prefix");
    os::Route route{*to, {}};
    if (item.has("via")) route.via = read_ip_address(item, "via");
    if (route.via && route.via->family != to->address.family) item.refuse("via", "must be of the family of 'to'");
    routes.push_back(route);
  }
  return routes;
}

std::vector<os::Neighbour> read_neighbours(const Fields& fields, const char* name) {
  std::vector<os::Neighbour> neighbours;
  for (const auto& item : fields.objects(name)) {
    neighbours.push_back({read_ip_address(item, "address"), read_mac(item)});
  }
  return neighbours;
}

os::PortRange read_ports(const Fields& fields, const char* name) {
  if (!fields.has(name)) return {};
  const auto ports = fields.object(name);
  const auto first = ports.integer("first", 1, highest_port);
  return {static_cast<uint16_t>(first), static_cast<uint16_t>(ports.integer("last", first, highest_port))};
}

std::vector<os::Policy> read_policies(const Fields& fields, const char* name) {
  std::vector<os::Policy> policies;
  for (const auto& item : fields.objects(name)) {
    os::Policy policy;
    if (item.has("from")) {
      policy.match.from = os::parse_ip_prefix(item.string("from"));
      if (!policy.match.from) item.refuse("from", "must be an IP prefix");
    }
    policy.match.protocol = static_cast<uint8_t>(item.optional_integer("protocol", 1, 255).value_or(0));
    policy.match.destination_ports = read_ports(item, "destinationPorts");
    policy.match.source_ports = read_ports(item, "sourcePorts");
    policy.routes = read_routes(item, "routes");
    policies.push_back(std::move(policy));
  }
  if (policies.size() > most_policies) fields.refuse(name, "must be at most 64");
  return policies;
}

}  // namespace

os::MacAddress read_mac(const Fields& fields) {
  const auto mac = os::parse_mac_address(fields.string("mac"));
  if (!mac) fields.refuse("mac", "must be a MAC address");
  return *mac;
}

os::IpAddress read_ip_address(const Fields& fields, const char* name) {
  const auto address = os::parse_ip_address(fields.string(name));
  if (!address) fields.refuse(name, "must be an IP address");
  return *address;
}

std::optional<os::MacAddress> read_optional_mac(const Fields& fields) {
  return fields.has("mac") ? std::optional(read_mac(fields)) : std::nullopt;
}

os::InterfaceReference read_reference(const Fields& fields) { return {fields.string("netns"), fields.string("name")}; }

os::VethSide read_veth_side(const Fields& fields) {
  return {read_reference(fields), fields.string("alias"), read_mac(fields), fields.integer("mtu", 1, highest_mtu)};
}

os::TunnelDevice read_tunnel_device(const Fields& fields) {
  const bool has_mac = !fields.string("mac").empty();
  return {read_reference(fields), fields.string("alias"), has_mac ? std::optional(read_mac(fields)) : std::nullopt,
          fields.integer("mtu", 1, highest_mtu)};
}

os::InterfaceChange read_change(const Fields& fields) {
  os::InterfaceChange change;
  change.interface = read_reference(fields);
  change.alias = fields.string("alias");
  change.rename = fields.optional_string("rename");
  change.mtu = fields.optional_integer("mtu", 1, highest_mtu);
  change.mac = read_optional_mac(fields);
  if (fields.has("up")) change.up = fields.boolean("up", false);
  change.add_addresses = read_addresses(fields, "addAddresses");
  change.remove_addresses = read_addresses(fields, "removeAddresses");
  change.add_routes = read_routes(fields, "addRoutes");
  change.remove_routes = read_routes(fields, "removeRoutes");
  change.add_neighbours = read_neighbours(fields, "addNeighbours");
  change.remove_neighbours = read_neighbours(fields, "removeNeighbours");
  change.allow_ping = fields.boolean("allowPing", false);
  if (fields.has("policies")) change.policies = read_policies(fields, "policies");
  return change;
}

os::InterfaceQuery read_query(const Fields& fields) {
  return {fields.string("netns"), fields.optional_string("aliasPrefix"), fields.strings("names"),
          fields.boolean("details", true)};
}

TapRequest read_tap_request(const Fields& fields) {
  const auto payload = fields.string("payload");
  if (payload != "ethernet" && payload != "ip") fields.refuse("payload", "must be 'ethernet' or 'ip'");
  return {read_reference(fields), payload == "ethernet" ? os::TunKind::tap : os::TunKind::tun,
          os::InterfaceTraits{fields.string("alias"), read_optional_mac(fields), fields.integer("mtu", 1, highest_mtu),
                              fields.integer("txQueueLength", 1, longest_queue)}};
}

}  // namespace crosswire::binding

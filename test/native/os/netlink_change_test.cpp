// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "interface_fixture.hpp"

using namespace crosswire;
using namespace crosswire::os;
using namespace crosswire::test;

TEST_CASE("one batch configures everything; the same batch again changes nothing; removals take it away") {
  NEEDS_NAMESPACE(a);
  NEEDS_NAMESPACE(b);
  REQUIRE_DONE(make_wire(a.path(), b.path()));
  auto change = change_of(a.path());
  change.mtu = 9000;
  change.mac = parse_mac_address("02:00:00:00:00:cc");
  change.up = true;
  change.add_addresses = {prefix("10.9.0.1/24"), prefix("fd09::1/64")};
  change.add_routes = {{prefix("10.8.0.0/16"), address("10.9.0.2")},
                       {prefix("10.7.0.0/16"), {}},
                       {prefix("0.0.0.0/0"), address("10.9.0.3")},
                       {prefix("fd08::/64"), address("fd09::2")},
                       {prefix("::/0"), {}}};
  change.add_neighbours = {{address("10.9.0.2"), mac_b}, {address("fd09::2"), mac_b}};
  for (int round = 0; round < 2; ++round) {
    REQUIRE_DONE(change_interface(change));
    const auto seen = one(a.path(), "cw-a");
    CHECK(seen.up);
    CHECK(seen.mtu == 9000);
    CHECK(seen.mac == change.mac);
    CHECK(seen.addresses == change.add_addresses);
    CHECK(seen.routes.size() == change.add_routes.size());
    for (const auto& route : change.add_routes) {
      CHECK_MESSAGE(std::count(seen.routes.begin(), seen.routes.end(), route) == 1, to_text(route.to));
    }
    CHECK(seen.neighbours == change.add_neighbours);
  }
  const auto bare = list_interfaces({a.path(), std::nullopt, {"cw-a"}, false});
  REQUIRE(bare.ok());
  CHECK(bare.value().at(0).alias == mark_a);
  CHECK(bare.value().at(0).addresses.empty());
  auto removal = change_of(a.path());
  removal.remove_addresses = change.add_addresses;
  removal.remove_routes = change.add_routes;
  removal.remove_neighbours = change.add_neighbours;
  for (int round = 0; round < 2; ++round) {
    REQUIRE_DONE(change_interface(removal));
    const auto seen = one(a.path(), "cw-a");
    CHECK(seen.addresses.empty());
    CHECK(seen.routes.empty());
    CHECK(seen.neighbours.empty());
  }
  // To delete an interface that does not exist is a success; to change it is not.
  removal.interface.name = "cw-none";
  CHECK(change_interface(removal).ok());
  removal.mtu = 1400;
  CHECK(change_interface(removal).error().code == "INTERFACE_MISSING");
}

TEST_CASE("replacing an address keeps the addresses and routes that were to stay") {
  NEEDS_NAMESPACE(a);
  NEEDS_NAMESPACE(b);
  REQUIRE_DONE(make_wire(a.path(), b.path()));
  auto change = change_of(a.path());
  change.up = true;
  change.add_addresses = {prefix("10.9.0.1/24"), prefix("10.9.0.5/24")};
  change.add_routes = {{prefix("10.8.0.0/16"), address("10.9.0.2")}};
  REQUIRE_DONE(change_interface(change));
  auto next = change_of(a.path());
  SUBCASE("the first of a subnet, which takes the second along") {
    next.remove_addresses = {prefix("10.9.0.1/24")};
    REQUIRE_DONE(change_interface(next));
    CHECK(one(a.path(), "cw-a").addresses == std::vector{prefix("10.9.0.5/24")});
  }
  SUBCASE("all of them, which takes the routes along") {
    next.remove_addresses = change.add_addresses;
    next.add_addresses = {prefix("10.9.0.7/24")};
    REQUIRE_DONE(change_interface(next));
    CHECK(one(a.path(), "cw-a").addresses == next.add_addresses);
  }
  CHECK(one(a.path(), "cw-a").routes == change.add_routes);
}

TEST_CASE("a step that fails undoes those before it") {
  NEEDS_NAMESPACE(a);
  NEEDS_NAMESPACE(b);
  REQUIRE_DONE(make_wire(a.path(), b.path()));
  auto first = change_of(a.path());
  first.up = true;
  first.add_addresses = {prefix("10.9.0.1/24"), prefix("fd09::1/64")};
  first.add_routes = {{prefix("10.8.0.0/16"), address("10.9.0.2")}};
  first.add_neighbours = {{address("10.9.0.2"), mac_b}};
  REQUIRE_DONE(change_interface(first));

  auto change = change_of(a.path());
  change.rename = "cw-other";
  change.mtu = 1400;
  change.mac = parse_mac_address("02:00:00:00:00:cc");
  change.add_addresses = {prefix("10.9.1.1/24")};
  change.remove_addresses = {prefix("10.9.0.1/24")};
  change.remove_routes = first.add_routes;
  change.remove_neighbours = first.add_neighbours;
  change.add_neighbours = {{address("10.9.1.2"), mac_b}};
  change.add_routes = {{prefix("10.6.0.0/16"), address("10.9.1.2")}, {prefix("10.5.0.0/16"), address("192.0.2.1")}};
  auto done = change_interface(change);
  REQUIRE_FALSE(done.ok());
  CHECK(done.error().code == "ROUTE_REFUSED");
  CHECK(done.error().operation == "add route 10.5.0.0/16 via 192.0.2.1");
  CHECK(done.error().reason.find("Nexthop has invalid gateway") != std::string::npos);
  CHECK(done.error().errno_value == ENETUNREACH);

  const auto seen = one(a.path(), "cw-a");  // the old name
  CHECK(seen.mtu == 1500);
  CHECK(seen.mac == mac_a);
  CHECK(seen.up);
  CHECK(seen.addresses == first.add_addresses);
  CHECK(seen.routes == first.add_routes);
  CHECK(seen.neighbours == first.add_neighbours);
}

TEST_CASE(
    "a change that fails on an interface that is down keeps its addresses, whose IPv6 ones go whenever it goes down") {
  NEEDS_NAMESPACE(a);
  NEEDS_NAMESPACE(b);
  REQUIRE_DONE(make_wire(a.path(), b.path()));
  auto first = change_of(a.path());
  first.add_addresses = {prefix("10.9.0.1/24"), prefix("fd09::1/64")};
  REQUIRE_DONE(change_interface(first));

  auto change = change_of(a.path());
  change.up = true;
  change.add_routes = {{prefix("10.5.0.0/16"), address("192.0.2.1")}};
  CHECK(change_interface(change).error().code == "ROUTE_REFUSED");
  const auto seen = one(a.path(), "cw-a");
  CHECK_FALSE(seen.up);
  CHECK(seen.addresses == first.add_addresses);
}

TEST_CASE("what the kernel refuses carries the code of what was refused") {
  NEEDS_NAMESPACE(a);
  NEEDS_NAMESPACE(b);
  REQUIRE_DONE(make_wire(a.path(), b.path()));
  auto change = change_of(a.path());
  std::string code, words;
  SUBCASE("an address of the interface with another prefix length") {
    change.add_addresses = {prefix("fd09::1/64"), prefix("fd09::1/72")};
    code = "ADDRESS_REFUSED";
  }
  SUBCASE("a multicast address") {
    change.add_addresses = {prefix("ff02::1/64")};
    code = "ADDRESS_REFUSED";
  }
  SUBCASE("a route through an interface that is down") {
    change.add_routes = {{prefix("10.5.0.0/16"), {}}};
    code = "ROUTE_REFUSED";
  }
  SUBCASE("a multicast MAC address") {
    change.mac = parse_mac_address("01:00:00:00:00:01");
    code = "INTERFACE_REFUSED";
  }
  SUBCASE("an MTU that is out of range, in the kernel's words") {
    change.mtu = 70000;
    code = "INTERFACE_REFUSED";
    words = "mtu greater than device maximum (Invalid argument)";
  }
  SUBCASE("a name that is taken") {
    change.rename = "lo";
    code = "INTERFACE_EXISTS";
  }
  SUBCASE("a name that is too long, with the attribute that was wrong") {
    change.rename = "sixteen-letters-";
    code = "INTERFACE_REFUSED";
  }
  SUBCASE("another's interface") {
    change.alias = "crosswire/node/other/client";
    code = "INTERFACE_NOT_OURS";
  }
  auto done = change_interface(change);
  REQUIRE_FALSE(done.ok());
  CHECK(done.error().code == code);
  CHECK_FALSE(done.error().reason.empty());
  CHECK(done.error().reason.find(words) == 0);
  CHECK(done.error().subject.find("cw-a in " + a.path()) == 0);
  CHECK(one(a.path(), "cw-a").addresses.empty());
}

TEST_CASE("a route to the same place that is not this one is neither taken for ours nor replaced") {
  NEEDS_NAMESPACE(a);
  NEEDS_NAMESPACE(b);
  REQUIRE_DONE(make_wire(a.path(), b.path()));
  auto change = change_of(a.path());
  change.up = true;
  change.add_addresses = {prefix("10.9.0.1/24")};
  change.add_routes = {{prefix("10.8.0.0/16"), address("10.9.0.2")}};
  REQUIRE_DONE(change_interface(change));
  auto other = change_of(a.path());
  other.add_routes = {{prefix("10.8.0.0/16"), address("10.9.0.3")}};
  CHECK(change_interface(other).error().code == "ROUTE_REFUSED");
  CHECK(one(a.path(), "cw-a").routes == change.add_routes);
}

// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "interface_fixture.hpp"

using namespace crosswire;
using namespace crosswire::os;
using namespace crosswire::test;

namespace {

Policy policy(const char* from, PortRange ports, std::vector<Route> routes) {
  return {{prefix(from), 6, ports, {}}, std::move(routes)};
}

InterfaceChange dressed(const std::string& netns) {
  auto change = change_of(netns);
  change.up = true;
  change.add_addresses = {prefix("10.9.0.1/24"), prefix("fd09::1/64")};
  change.policies = {policy("10.9.0.0/24", {80, 90}, {{prefix("0.0.0.0/0"), address("10.9.0.2")}}),
                     policy("fd09::/64", {22, 22}, {{prefix("::/0"), address("fd09::2")}})};
  return change;
}

bool same(const Policy& a, const Policy& b) { return a.match == b.match && a.routes == b.routes; }

void check_policies(const std::string& netns, const std::vector<Policy>& wanted) {
  const auto seen = one(netns, "cw-a").policies;
  REQUIRE(seen.size() == wanted.size());
  for (const auto& each : wanted) {
    CHECK(std::ranges::count_if(seen, [&](const Policy& other) { return same(each, other); }) == 1);
  }
}

}  // namespace

TEST_CASE("policies: set twice is once, changed by their match, read back, and gone with the interface") {
  NEEDS_NAMESPACE(a);
  NEEDS_NAMESPACE(b);
  REQUIRE_DONE(make_wire(a.path(), b.path()));
  auto change = dressed(a.path());
  for (int round = 0; round < 2; ++round) {
    REQUIRE_DONE(change_interface(change));
    check_policies(a.path(), *change.policies);
  }
  change.policies->front().routes = {{prefix("10.8.0.0/16"), {}}};
  change.policies->pop_back();
  REQUIRE_DONE(change_interface(change));
  check_policies(a.path(), *change.policies);
  REQUIRE(delete_interface({a.path(), "cw-a"}, mark_a).ok());
  // A new interface of the same name has none of them.
  REQUIRE_DONE(make_wire(a.path(), b.path()));
  check_policies(a.path(), {});
}

TEST_CASE("policies: what fails in a batch leaves those before it") {
  NEEDS_NAMESPACE(a);
  NEEDS_NAMESPACE(b);
  REQUIRE_DONE(make_wire(a.path(), b.path()));
  const auto before = dressed(a.path());
  REQUIRE_DONE(change_interface(before));
  auto change = change_of(a.path());
  change.policies = {before.policies->front(),
                     policy("10.9.0.1/32", {1, 2}, {{prefix("0.0.0.0/0"), address("10.9.0.1")}})};
  const auto refused = change_interface(change);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == "ROUTE_REFUSED");  // a gateway that is the interface itself
  check_policies(a.path(), *before.policies);
}

TEST_CASE("ping: allowed to everybody in the namespace, told, and twice is once") {
  NEEDS_NAMESPACE(a);
  NEEDS_NAMESPACE(b);
  REQUIRE_DONE(make_wire(a.path(), b.path()));
  CHECK_FALSE(one(a.path(), "cw-a").allows_ping);
  auto change = change_of(a.path());
  change.allow_ping = true;
  for (int round = 0; round < 2; ++round) {
    REQUIRE_DONE(change_interface(change));
    CHECK(one(a.path(), "cw-a").allows_ping);
    CHECK_FALSE(one(b.path(), "cw-b").allows_ping);
  }
}

// SPDX-License-Identifier: Apache-2.0
//   namespace node                       namespace pod
//   [cw-a] ── veth ── [cw-b] (outside)
//      └─ macvlan ───────────────────── [cw0], or below a VLAN device [cw0]
#include "os/vlan.hpp"

#include <cerrno>

#include "interface_fixture.hpp"
#include "os/netns.hpp"

using namespace crosswire;
using namespace crosswire::os;
using namespace crosswire::test;

namespace {

const std::string mark = "crosswire/node/w/client";

VlanDevice part_of(const TestNamespace& pod, uint16_t id) {
  return {{pod.path(), "cw0"}, mark, *parse_mac_address("02:00:00:00:00:77"), 1400, "cw-a", id, id == 0 ? "" : "cw-77"};
}

std::vector<std::string> names_in(const std::string& netns) {
  std::vector<std::string> names;
  for (const auto& link : all_in(netns)) names.push_back(link.name);
  return names;
}

}  // namespace

#define NEEDS_NODE                                        \
  NEEDS_NAMESPACE(node);                                  \
  NEEDS_NAMESPACE(outside);                               \
  NEEDS_NAMESPACE(pod);                                   \
  REQUIRE_DONE(make_wire(node.path(), outside.path()));   \
  const auto inside = NamespaceGuard::enter(node.path()); \
  REQUIRE(inside.ok())

TEST_CASE("without a tag, a part of a device is a private macvlan in the namespace of the workload") {
  NEEDS_NODE;
  const auto made = create_vlan(part_of(pod, 0));
  if (!made && made.error().errno_value == EOPNOTSUPP) {
    MESSAGE("skipped: this kernel has no macvlan");
    return;
  }
  REQUIRE_DONE(made);
  const auto seen = one(pod.path(), "cw0");
  CHECK(seen.kind == "macvlan");
  CHECK(seen.alias == mark);
  CHECK(seen.mtu == 1400);
  CHECK_FALSE(seen.up);
  CHECK(to_text(*seen.mac) == "02:00:00:00:00:77");
  REQUIRE(seen.uplink);
  CHECK(seen.uplink->device == "cw-a");
  CHECK(seen.uplink->sound);
  CHECK(names_in(node.path()) == std::vector<std::string>{"lo", "cw-a"});
  CHECK(create_vlan(part_of(pod, 0)).error().code == "HOST_DEVICE_REFUSED");  // its name is taken
  CHECK(delete_interface({pod.path(), "cw0"}, mark).value());
}

TEST_CASE("with a tag, it is a VLAN device above a macvlan that stays; where the kernel has none, nothing stays") {
  NEEDS_NODE;
  const auto made = create_vlan(part_of(pod, 100));
  if (!made) {
    MESSAGE("this kernel: " << made.error().reason);
    CHECK(made.error().code == "HOST_DEVICE_REFUSED");
    CHECK(made.error().errno_value == EOPNOTSUPP);
    CHECK(names_in(node.path()) == std::vector<std::string>{"lo", "cw-a"});
    CHECK(names_in(pod.path()) == std::vector<std::string>{"lo"});
    return;
  }
  for (int round = 0; round < 2; ++round) {
    const auto seen = one(pod.path(), "cw0");
    CHECK(seen.kind == "vlan");
    CHECK_FALSE(seen.up);
    REQUIRE(seen.uplink);
    CHECK(seen.uplink->device == "cw-a");
    CHECK(seen.uplink->id == 100);
    CHECK(seen.uplink->name == "cw-77");
    CHECK(seen.uplink->mac == seen.mac);
    CHECK(seen.uplink->sound);
    REQUIRE_DONE(create_vlan(part_of(pod, 100)));  // the macvlan of an earlier attempt is deleted first
  }
  InterfaceChange down;
  down.interface = {"", "cw-77"};
  down.alias = mark + uplink_suffix;
  down.up = false;
  REQUIRE_DONE(change_interface(down));
  CHECK_FALSE(one(pod.path(), "cw0").uplink->sound);
  CHECK(delete_interface({"", "cw-77"}, mark + uplink_suffix).value());
  CHECK(names_in(pod.path()) == std::vector<std::string>{"lo"});
}

TEST_CASE("a device that is not there, and a name below that somebody else has") {
  NEEDS_NODE;
  auto nowhere = part_of(pod, 0);
  nowhere.device = "none";
  CHECK(create_vlan(nowhere).error().code == "HOST_DEVICE_MISSING");
  auto taken = part_of(pod, 100);
  taken.uplink = "cw-a";
  CHECK(create_vlan(taken).error().code == "INTERFACE_EXISTS");
  CHECK(names_in(node.path()) == std::vector<std::string>{"lo", "cw-a"});
}

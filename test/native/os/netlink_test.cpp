// SPDX-License-Identifier: Apache-2.0
#include <linux/capability.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <set>
#include <string>
#include <thread>
#include <tuple>

#include "interface_fixture.hpp"
#include "os/namespaces.hpp"
#include "os/tun.hpp"

using namespace crosswire;
using namespace crosswire::os;
using namespace crosswire::test;

TEST_CASE("a veth pair is born across two namespaces, marked, and nowhere else") {
  NEEDS_NAMESPACE(a);
  NEEDS_NAMESPACE(b);
  const auto host_before = all_in("").size();
  REQUIRE_DONE(make_wire(a.path(), b.path()));
  CHECK(all_in("").size() == host_before);
  CHECK(all_in(a.path()).size() == 2);  // and lo
  const auto client = one(a.path(), "cw-a");
  CHECK(client.alias == mark_a);
  CHECK(client.kind == "veth");
  CHECK(client.mac == mac_a);
  CHECK(client.mtu == 1500);
  CHECK_FALSE(client.up);
  const auto endpoint = one(b.path(), "cw-b");
  CHECK(endpoint.alias == mark_b);
  CHECK(endpoint.mac == mac_b);
  CHECK(endpoint.mtu == 9000);
}

TEST_CASE("a pair that cannot be made whole leaves nothing") {
  NEEDS_NAMESPACE(a);
  NEEDS_NAMESPACE(b);
  SUBCASE("an MTU that the kernel refuses") {
    auto made = create_veth_pair({{a.path(), "cw-a"}, mark_a, mac_a, 70000}, {{b.path(), "cw-b"}, mark_b, mac_b, 1500});
    REQUIRE_FALSE(made.ok());
    CHECK(made.error().code == "INTERFACE_REFUSED");
    CHECK(made.error().errno_value == EINVAL);
  }
  SUBCASE("an alias that the second side refuses, after the first took its own") {
    auto made = create_veth_pair({{a.path(), "cw-a"}, mark_a, mac_a, 1500},
                                 {{b.path(), "cw-b"}, std::string(300, 'x'), mac_b, 1500});
    REQUIRE_FALSE(made.ok());
    CHECK(made.error().code == "INTERFACE_REFUSED");
  }
  SUBCASE("a namespace that is none") {
    auto made = make_wire(a.path(), "/proc/self/ns/mnt");
    REQUIRE_FALSE(made.ok());
    CHECK(made.error().code == "NAMESPACE_INVALID");
    CHECK(make_wire("/run/netns/cw-nl-missing", a.path()).error().code == "NAMESPACE_MISSING");
  }
  CHECK(all_in(a.path()).size() == 1);
  CHECK(all_in(b.path()).size() == 1);
}

TEST_CASE("a taken name is INTERFACE_EXISTS and the one there stays") {
  NEEDS_NAMESPACE(a);
  NEEDS_NAMESPACE(b);
  REQUIRE_DONE(make_wire(a.path(), b.path()));
  const auto index = one(a.path(), "cw-a").index;
  CHECK(make_wire(a.path(), b.path()).error().code == "INTERFACE_EXISTS");
  CHECK(one(a.path(), "cw-a").index == index);
}

TEST_CASE("without privileges the error names the capability that is missing") {
  NEEDS_NAMESPACE(a);
  const auto code_without = [&](int capability) {
    std::string code, reason;
    std::thread([&] {  // capabilities are a thread's own (capabilities(7))
      __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
      __user_cap_data_struct sets[2]{};
      CHECK(::syscall(SYS_capget, &header, sets) == 0);
      sets[CAP_TO_INDEX(capability)].effective &= ~CAP_TO_MASK(capability);
      CHECK(::syscall(SYS_capset, &header, sets) == 0);
      auto made = make_wire(a.path(), a.path());
      REQUIRE_FALSE(made.ok());
      code = made.error().code;
      reason = made.error().reason;
    })
        .join();
    return code + ": " + reason;
  };
  CHECK(code_without(CAP_NET_ADMIN).find("PERMISSION_DENIED: Operation not permitted; needs CAP_NET_ADMIN") == 0);
  CHECK(code_without(CAP_SYS_ADMIN) == "NAMESPACE_DENIED: Operation not permitted; needs CAP_SYS_ADMIN");
  CHECK(all_in(a.path()).size() == 1);
}

TEST_CASE("only our own interface is deleted, with its peer, and once") {
  NEEDS_NAMESPACE(a);
  NEEDS_NAMESPACE(b);
  REQUIRE_DONE(make_wire(a.path(), b.path()));
  auto refused = delete_interface({a.path(), "cw-a"}, mark_b);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == "INTERFACE_NOT_OURS");
  CHECK(delete_interface({a.path(), "lo"}, mark_a).error().code == "INTERFACE_NOT_OURS");
  CHECK(delete_interface({a.path(), "cw-a"}, mark_a).value());
  CHECK(all_in(b.path()).size() == 1);
  CHECK_FALSE(delete_interface({a.path(), "cw-a"}, mark_a).value());
  CHECK_FALSE(delete_interface({"/run/netns/cw-nl-missing", "cw-a"}, mark_a).value());
}

TEST_CASE("statistics answer in the order asked, and with nothing for what is gone") {
  NEEDS_NAMESPACE(a);
  NEEDS_NAMESPACE(b);
  REQUIRE_DONE(make_wire(a.path(), b.path()));
  auto read = read_statistics({{b.path(), "cw-b"},
                               {a.path(), "cw-none"},
                               {a.path(), "cw-a"},
                               {"/run/netns/cw-nl-missing", "cw-a"},
                               {b.path(), "cw-b"}});
  REQUIRE(read.ok());
  std::vector<bool> there;
  for (const auto& row : read.value()) there.push_back(row.has_value());
  CHECK(there == std::vector{true, false, true, false, true});
  CHECK(read.value()[2]->rx_packets == 0);
}

TEST_CASE("interfaces are found by the beginning of their mark, or by name") {
  NEEDS_NAMESPACE(a);
  REQUIRE_DONE(make_wire(a.path(), a.path()));
  auto change = change_of(a.path());
  change.up = true;
  change.add_addresses = {prefix("10.9.0.1/24"), prefix("fd09::1/64")};
  REQUIRE_DONE(change_interface(change));
  auto ours = list_interfaces({a.path(), "crosswire/node/", {}}).value();
  REQUIRE(ours.size() == 2);
  for (const auto& link : ours) CHECK(link.addresses.size() == (link.name == "cw-a" ? 2 : 0));
  CHECK(list_interfaces({a.path(), "crosswire/node2/", {"lo"}}).value().size() == 1);
  CHECK(list_interfaces({a.path(), std::nullopt, {"cw-b", "cw-none"}}).value().size() == 1);
  CHECK(list_interfaces({"/run/netns/cw-nl-missing", "", {}}).error().code == "NAMESPACE_MISSING");
}

TEST_CASE("a namespace that changes while it is listed: each interface that stays is there, once") {
  NEEDS_NAMESPACE(a);
  constexpr int stable = 40;  // pairs: more links than one part of a dump holds
  const auto pair = [&](const std::string& name, const std::string& alias) {
    return create_veth_pair({{a.path(), name + "a"}, alias, mac_a, 1500}, {{a.path(), name + "b"}, alias, mac_b, 1500});
  };
  for (int i = 0; i < stable; ++i) REQUIRE_DONE(pair("s" + std::to_string(i), mark_a));
  std::atomic<bool> finished = false;
  std::thread churn([&] {
    for (int i = 0; !finished; ++i) {
      const auto name = "t" + std::to_string(i);
      CHECK(pair(name, mark_b).ok());
      CHECK(delete_interface({a.path(), name + "a"}, mark_b).ok());
    }
  });
  for (int round = 0; round < 40; ++round) {
    auto seen = list_interfaces({a.path(), mark_a, {}});
    CHECK_MESSAGE(seen.ok(), (seen ? "" : seen.error().reason));
    if (!seen) continue;
    std::set<std::string> names;
    for (const auto& link : seen.value()) names.insert(link.name);
    CHECK(names.size() == 2 * stable);
    CHECK(seen.value().size() == 2 * stable);
  }
  finished = true;
  churn.join();
}

TEST_CASE("TAP and TUN devices are marked and shaped, and told apart") {
  NEEDS_NAMESPACE(a);
  REQUIRE_DONE(create_tun(a.path(), "cw-tap", TunKind::tap));
  REQUIRE_DONE(create_tun(a.path(), "cw-tun", TunKind::tun));
  REQUIRE_DONE(adopt_interface({a.path(), "cw-tap"}, {mark_a, mac_a, 9000, 8192}));
  REQUIRE_DONE(adopt_interface({a.path(), "cw-tun"}, {mark_b, {}, 1400, 8192}));
  const auto tap = one(a.path(), "cw-tap");
  CHECK(tap.kind == "tap");
  CHECK(tap.mac == mac_a);
  CHECK(tap.mtu == 9000);
  CHECK(tap.transmit_queue_length == 8192);
  const auto tun = one(a.path(), "cw-tun");
  CHECK(tun.kind == "tun");
  CHECK_FALSE(tun.mac.has_value());
  CHECK(tun.mtu == 1400);
  auto refused = adopt_interface({a.path(), "cw-tap"}, {mark_a, mac_a, 100000, 1});
  CHECK(refused.error().code == "INTERFACE_REFUSED");
  CHECK(list_interfaces({a.path(), std::nullopt, {"cw-tap"}}).value().empty());
}

TEST_CASE("namespaces are listed once each, the mounted path first") {
  const std::string name = "cw-nl-" + std::to_string(::getpid());
  if (std::system(("ip netns add " + name).c_str()) != 0) {
    MESSAGE("skipped: 'ip netns add' does not work here");
    return;
  }
  const auto all = list_namespaces();
  const auto found =
      std::count_if(all.begin(), all.end(), [&](const auto& entry) { return entry.path == "/run/netns/" + name; });
  CHECK(found == 1);
  for (const auto& entry : all) {
    CHECK(std::count_if(all.begin(), all.end(), [&](const auto& e) { return e.identity == entry.identity; }) == 1);
  }
  const auto home = identify_namespace("/proc/self/ns/net").value();
  CHECK(std::any_of(all.begin(), all.end(), [&](const auto& entry) { return entry.identity == home; }));
  CHECK(std::system(("ip netns delete " + name).c_str()) == 0);
}

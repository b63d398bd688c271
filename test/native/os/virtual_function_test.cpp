// SPDX-License-Identifier: Apache-2.0
// Answers about virtual functions, composed byte by byte as the kernel sends them: no NIC is needed.
#include "os/virtual_function.hpp"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <cerrno>
#include <cstring>
#include <random>

#include "interface_fixture.hpp"
#include "os/netlink_message.hpp"

using namespace crosswire;
using namespace crosswire::os;
using namespace crosswire::test;

namespace {

// An RTM_NEWLINK with one list of virtual functions.
class Told {
 public:
  Told() : message_(RTM_NEWLINK, 0, ifinfomsg{}) { list_ = message_.open_nest(IFLA_VFINFO_LIST); }
  template <class Structure>
  Told& with(uint16_t type, const Structure& value, size_t size = sizeof(Structure)) {
    message_.put_bytes(type, &value, size);
    return *this;
  }
  Told& function(uint32_t index) {
    if (function_ != nullptr) message_.close_nest(function_);
    function_ = message_.open_nest(IFLA_VF_INFO);
    return with(IFLA_VF_MAC, ifla_vf_mac{index, {2, 0, 0, 0, 0, static_cast<uint8_t>(index)}});
  }
  NetlinkMessage& message() { return message_; }
  std::vector<VirtualFunctionInfo> decode() {
    if (function_ != nullptr) message_.close_nest(function_);
    function_ = nullptr;
    message_.close_nest(list_);
    return decode_virtual_functions(Attributes(message_.header(), sizeof(ifinfomsg)));
  }

 private:
  NetlinkMessage message_;
  nlattr* list_;
  nlattr* function_ = nullptr;
};

constexpr uint32_t not_said = ~0U;

}  // namespace

TEST_CASE("each virtual function is told as its driver knows it, and what the driver does not say is absent") {
  Told told;
  told.function(0)
      .with(IFLA_VF_VLAN, ifla_vf_vlan{0, 100, 3})
      .with(IFLA_VF_SPOOFCHK, ifla_vf_spoofchk{0, 1})
      .with(IFLA_VF_TRUST, ifla_vf_trust{0, 0})
      .with(IFLA_VF_LINK_STATE, ifla_vf_link_state{0, IFLA_VF_LINK_STATE_DISABLE})
      .with(IFLA_VF_RATE, ifla_vf_rate{0, 10, 500});
  auto* counters = told.message().open_nest(IFLA_VF_STATS);
  told.with(IFLA_VF_STATS_RX_PACKETS, uint64_t{1} << 40).with(IFLA_VF_STATS_TX_DROPPED, uint64_t{7});
  told.message().close_nest(counters);
  told.function(1)
      .with(IFLA_VF_SPOOFCHK, ifla_vf_spoofchk{1, not_said})
      .with(IFLA_VF_TRUST, ifla_vf_trust{1, not_said});
  const auto functions = told.decode();
  REQUIRE(functions.size() == 2);
  const auto& first = functions[0];
  CHECK(to_text(*first.mac) == "02:00:00:00:00:00");
  CHECK(first.vlan == 100);
  CHECK(first.quality_of_service == 3);
  CHECK(first.spoof_check == true);
  CHECK(first.trust == false);
  CHECK(first.link == VirtualFunctionLink::down);
  CHECK(first.lowest_rate == 10);
  CHECK(first.highest_rate == 500);
  REQUIRE(first.statistics.has_value());
  CHECK(first.statistics->rx_packets == uint64_t{1} << 40);
  CHECK(first.statistics->tx_dropped == 7);
  const auto& second = functions[1];
  CHECK(second.index == 1);
  CHECK_FALSE(second.spoof_check.has_value());
  CHECK_FALSE(second.trust.has_value());
  CHECK_FALSE(second.vlan.has_value());
  CHECK_FALSE(second.highest_rate.has_value());
  CHECK_FALSE(second.statistics.has_value());
}

TEST_CASE("what is cut short or out of range counts as not told; a function without an index is left out") {
  Told told;
  told.function(3)
      .with(IFLA_VF_VLAN, ifla_vf_vlan{3, 4096, 0})
      .with(IFLA_VF_TRUST, ifla_vf_trust{3, 1}, sizeof(uint32_t))
      .with(IFLA_VF_LINK_STATE, ifla_vf_link_state{3, 99})
      .with(IFLA_VF_STATS, uint32_t{1});
  const auto functions = told.decode();
  REQUIRE(functions.size() == 1);
  CHECK(functions[0].index == 3);
  CHECK_FALSE(functions[0].vlan.has_value());
  CHECK_FALSE(functions[0].trust.has_value());
  CHECK_FALSE(functions[0].link.has_value());
  CHECK(functions[0].statistics == VirtualFunctionStatistics{});

  NetlinkMessage nameless(RTM_NEWLINK, 0, ifinfomsg{});
  encode_virtual_function(nameless, IFLA_VF_MAC, "abc", 3);
  CHECK(decode_virtual_functions(Attributes(nameless.header(), sizeof(ifinfomsg))).empty());
  NetlinkMessage without(RTM_NEWLINK, 0, ifinfomsg{});
  CHECK(decode_virtual_functions(Attributes(without.header(), sizeof(ifinfomsg))).empty());
}

TEST_CASE("bytes turned over anywhere are read within their bounds") {
  std::mt19937 random(20261120);
  for (int round = 0; round < 20000; ++round) {
    Told told;
    told.function(0).with(IFLA_VF_RATE, ifla_vf_rate{0, 1, 2});
    auto* counters = told.message().open_nest(IFLA_VF_STATS);
    told.with(IFLA_VF_STATS_RX_PACKETS, uint64_t{1});
    told.message().close_nest(counters);
    told.function(1);
    (void)told.decode();
    const auto* header = told.message().header();
    // On the heap and of the exact size, so that a sanitizer sees the first byte too many.
    std::vector<char> copy(header->nlmsg_len);
    std::memcpy(copy.data(), header, copy.size());
    for (int turned = 0; turned < 4; ++turned) {
      const size_t fixed = sizeof(nlmsghdr) + sizeof(ifinfomsg);
      copy[fixed + random() % (copy.size() - fixed)] = static_cast<char>(random());
    }
    const auto functions =
        decode_virtual_functions(Attributes(reinterpret_cast<const nlmsghdr*>(copy.data()), sizeof(ifinfomsg)));
    CHECK(functions.size() <= copy.size() / sizeof(ifla_vf_mac));
  }
}

TEST_CASE("a change is one attribute of one function, as the driver will read it") {
  const ifla_vf_vlan tag{5, 100, 2};
  NetlinkMessage message(RTM_SETLINK, 0, ifinfomsg{});
  encode_virtual_function(message, IFLA_VF_VLAN, &tag, sizeof tag);
  const Attributes link(message.header(), sizeof(ifinfomsg));
  const auto function = link.nest(IFLA_VFINFO_LIST)->nest(IFLA_VF_INFO);
  REQUIRE(function.has_value());
  const auto* attribute = function->find(IFLA_VF_VLAN);
  REQUIRE(attribute != nullptr);
  REQUIRE(payload_size(attribute) == sizeof tag);
  CHECK(std::memcmp(payload_of(attribute), &tag, sizeof tag) == 0);
}

TEST_CASE("an interface without virtual functions has none, and says which attribute it will not set") {
  NEEDS_NAMESPACE(a);
  REQUIRE_DONE(make_wire(a.path(), a.path()));
  const auto functions = read_virtual_functions({a.path(), "cw-a"});
  REQUIRE(functions.ok());
  CHECK(functions.value().empty());
  CHECK(read_virtual_functions({a.path(), "cw-none"}).error().code == "INTERFACE_MISSING");
  VirtualFunctionChange change;
  std::string operation;
  SUBCASE("MAC address") {
    change.mac = mac_a;
    operation = "set MAC address 02:00:00:00:00:0a";
  }
  SUBCASE("VLAN") {
    change.vlan = 100;
    operation = "set VLAN 100";
  }
  SUBCASE("spoof check") {
    change.spoof_check = false;
    operation = "set spoof check off";
  }
  SUBCASE("trust") {
    change.trust = true;
    operation = "set trust on";
  }
  SUBCASE("rate") {
    change.highest_rate = 500;
    operation = "set highest rate 500 Mbit/s";
  }
  const auto changed = change_virtual_function({a.path(), "cw-a"}, 2, change);
  REQUIRE_FALSE(changed.ok());
  CHECK(changed.error().code == "VF_REFUSED");
  CHECK(changed.error().operation == operation);
  CHECK(changed.error().subject == "VF 2 of cw-a in " + a.path());
  CHECK(changed.error().errno_value == EOPNOTSUPP);
}

TEST_CASE("an interface moves under another name in one step, down, with its mark; others' stay") {
  NEEDS_NAMESPACE(a);
  NEEDS_NAMESPACE(b);
  REQUIRE_DONE(make_wire(a.path(), a.path()));
  auto change = change_of(a.path());
  change.up = true;
  change.add_addresses = {prefix("10.9.0.1/24")};
  REQUIRE_DONE(change_interface(change));
  const InterfaceReference home{a.path(), "cw-a"};
  CHECK(move_interface({home, mark_b, b.path(), "nsm-1"}).error().code == "INTERFACE_NOT_OURS");
  CHECK(mark_interface(home, mark_b, "").error().code == "INTERFACE_NOT_OURS");
  REQUIRE_DONE(move_interface({home, mark_a, b.path(), "nsm-1"}));
  const auto moved = one(b.path(), "nsm-1");
  CHECK(moved.alias == mark_a);
  CHECK_FALSE(moved.up);
  CHECK(moved.addresses.empty());
  CHECK(all_in(a.path()).size() == 2);  // lo and cw-b
  // Back, without a mark; one that has none gets it on the way.
  REQUIRE_DONE(mark_interface({b.path(), "nsm-1"}, mark_a, ""));
  CHECK(one(b.path(), "nsm-1").alias.empty());
  REQUIRE_DONE(move_interface({{b.path(), "nsm-1"}, mark_a, a.path(), "cw-a"}));
  CHECK(one(a.path(), "cw-a").alias == mark_a);
  CHECK(move_interface({home, mark_a, a.path(), "cw-b"}).error().code == "INTERFACE_EXISTS");
  CHECK(move_interface({home, mark_a, "/run/netns/cw-nl-missing", "x"}).error().code == "NAMESPACE_MISSING");
  CHECK(move_interface({{a.path(), "cw-none"}, mark_a, b.path(), "x"}).error().code == "INTERFACE_MISSING");
}

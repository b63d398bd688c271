// SPDX-License-Identifier: Apache-2.0
// One wire for the tests of interfaces:
//   namespace a            namespace b
//   [cw-a] ───── veth ───── [cw-b]
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "os/interface.hpp"
#include "support/namespace.hpp"

namespace crosswire::test {

inline const os::MacAddress mac_a = *os::parse_mac_address("02:00:00:00:00:0a");
inline const os::MacAddress mac_b = *os::parse_mac_address("02:00:00:00:00:0b");
inline const std::string mark_a = "crosswire/node/wire/client";
inline const std::string mark_b = "crosswire/node/wire/endpoint";

inline os::IpPrefix prefix(const char* text) { return *os::parse_ip_prefix(text); }
inline os::IpAddress address(const char* text) { return *os::parse_ip_address(text); }

inline Result<> make_wire(const std::string& a, const std::string& b) {
  return os::create_veth_pair({{a, "cw-a"}, mark_a, mac_a, 1500}, {{b, "cw-b"}, mark_b, mac_b, 9000});
}

inline std::vector<os::InterfaceInfo> all_in(const std::string& netns) {
  auto all = os::list_interfaces({netns, "", {}});
  REQUIRE_MESSAGE(all.ok(), (all ? "" : all.error().reason));
  return all.value();
}

inline os::InterfaceInfo one(const std::string& netns, const std::string& name) {
  auto found = os::list_interfaces({netns, std::nullopt, {name}});
  REQUIRE(found.ok());
  REQUIRE(found.value().size() == 1);
  return found.value().front();
}

inline os::InterfaceChange change_of(const std::string& netns) {
  os::InterfaceChange change;
  change.interface = {netns, "cw-a"};
  change.alias = mark_a;
  return change;
}

}  // namespace crosswire::test

#define REQUIRE_DONE(expression)                                                                          \
  do {                                                                                                    \
    auto outcome = (expression);                                                                          \
    REQUIRE_MESSAGE(outcome.ok(), (outcome ? "" : outcome.error().code + ": " + outcome.error().reason)); \
  } while (false)

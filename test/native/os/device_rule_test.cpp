// SPDX-License-Identifier: Apache-2.0
#include "os/device_rule.hpp"

#include <doctest/doctest.h>

using namespace crosswire::os;

TEST_CASE("device rules: read as the kernel writes them, and written so") {
  const auto rules = parse_rules("c 10:196 rwm\nb *:* m\nc 136:* rw\nnonsense\nc x:1 r\na *:* rwm\n\n");
  REQUIRE(rules.size() == 4);
  CHECK(to_string(rules[0]) == "c 10:196 rwm");
  CHECK(to_string(rules[1]) == "b *:* m");
  CHECK(to_string(rules[2]) == "c 136:* rw");
  CHECK(to_string(rules[3]) == "a *:* rwm");
}

TEST_CASE("device rules: every access needs one rule that covers it") {
  const DeviceNode node{10, 196};
  CHECK(allowed_by(parse_rules("a *:* rwm"), node));
  CHECK(allowed_by(parse_rules("c *:* m\nc 10:* rw"), node));
  CHECK_FALSE(allowed_by(parse_rules("c *:* m\nc 10:196 r\nc 10:* w"), node));  // open(2) for both finds none
  CHECK_FALSE(allowed_by(parse_rules("c *:* m"), node));
  CHECK_FALSE(allowed_by(parse_rules("b 10:196 rwm\nc 10:197 rwm\nc 11:196 rwm"), node));
  CHECK_FALSE(allowed_by({}, node));
}

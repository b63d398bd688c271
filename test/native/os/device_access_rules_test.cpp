// SPDX-License-Identifier: Apache-2.0
// Version 1 of control groups, with processes that try.
#include "control_group_fixture.hpp"

using namespace crosswire;
using namespace crosswire::os;
using namespace crosswire::test;

namespace {

// As runc leaves a container.
void confine(const TestGroup& group) {
  group.write("devices.deny", "a");
  group.write("devices.allow", "c *:* m");
  group.write("devices.allow", "c 1:3 rwm");
}

std::string list_of(const TestGroup& group) {
  std::ifstream file(group.path() + "/devices.list");
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("device access, version 1: a process may open the node from the grant to its end") {
  NEEDS_GROUP(group, mount_of(1));
  confine(group);
  const auto before = list_of(group);
  REQUIRE(group.opens("/dev/full") == EPERM);
  for (int round = 0; round < 2; ++round) {  // idempotent
    const auto access = grant_devices(group.path(), "a", {full, null});
    REQUIRE(access.ok());
    CHECK(access.value().version == 1);
    CHECK(access.value().opened == std::vector{full});  // null was allowed already
  }
  CHECK(group.opens("/dev/full") == 0);
  CHECK(group.opens("/dev/zero") == EPERM);
  CHECK(withdraw_devices(group.path(), "a").value());
  CHECK(group.opens("/dev/full") == EPERM);
  CHECK(group.opens("/dev/null") == 0);
  CHECK(list_of(group) == before);
  CHECK_FALSE(withdraw_devices(group.path(), "a").value());
}

TEST_CASE("device access, version 1: the last holder of a node takes it along") {
  NEEDS_GROUP(group, mount_of(1));
  confine(group);
  const auto before = list_of(group);
  REQUIRE(grant_devices(group.path(), "a", {full}).ok());
  REQUIRE(grant_devices(group.path(), "b", {full, zero}).ok());
  REQUIRE(withdraw_devices(group.path(), "a").ok());
  CHECK(group.opens("/dev/full") == 0);
  REQUIRE(withdraw_devices(group.path(), "b").ok());
  CHECK(group.opens("/dev/full") == EPERM);
  CHECK(list_of(group) == before);
}

TEST_CASE("device access, version 1: what was allowed of a node before stays") {
  NEEDS_GROUP(group, mount_of(1));
  confine(group);
  group.write("devices.allow", "c 1:7 r");
  const auto before = list_of(group);
  REQUIRE(grant_devices(group.path(), "a", {full}).ok());
  CHECK(group.opens("/dev/full") == 0);
  REQUIRE(withdraw_devices(group.path(), "a").ok());
  CHECK(list_of(group) == before);
}

TEST_CASE("device access, version 1: a group that allows everything is left as it is") {
  NEEDS_GROUP(group, mount_of(1));
  const auto access = grant_devices(group.path(), "a", {full});
  REQUIRE(access.ok());
  CHECK(access.value().opened.empty());
  CHECK_FALSE(withdraw_devices(group.path(), "a").value());
  CHECK(group.opens("/dev/full") == 0);
}

TEST_CASE("device access, version 1: a grant that was cut short behind its record is finished, or taken back") {
  NEEDS_GROUP(group, mount_of(1));
  confine(group);
  const auto before = list_of(group);
  for (const bool finished : {true, false}) {
    const auto directory = group.open();
    REQUIRE(write_grant_record(directory.get(), "test", "a", {rule_of(full, access_all)}).ok());
    if (finished) REQUIRE(grant_devices(group.path(), "a", {full}).ok());
    CHECK(group.opens("/dev/full") == (finished ? 0 : EPERM));
    CHECK(withdraw_devices(group.path(), "a").value());
    CHECK(list_of(group) == before);
    CHECK(read_grant_records(directory.get(), "test").value().empty());
  }
}

TEST_CASE("device access, version 1: a refusal above is named, and undoes what was begun") {
  NEEDS_GROUP(above, mount_of(1));
  confine(above);
  above.write("devices.allow", "c 1:5 rwm");
  NEEDS_GROUP(group, above.path());
  group.write("devices.deny", "c 1:5 rwm");
  const auto before = list_of(group);
  const auto access = grant_devices(group.path(), "a", {zero, full});
  REQUIRE_FALSE(access.ok());
  CHECK(access.error().code == "DEVICE_REFUSED_ABOVE");
  CHECK(access.error().subject == above.path());
  CHECK(list_of(group) == before);
  CHECK_FALSE(withdraw_devices(group.path(), "a").value());
}

TEST_CASE("device access: what is no control group, and what is gone") {
  CHECK(grant_devices("/tmp", "a", {full}).error().code == "CGROUP_INVALID");
  CHECK(grant_devices("/dev/null", "a", {full}).error().code == "CGROUP_INVALID");
  CHECK(grant_devices("/sys/fs/cgroup/none", "a", {full}).error().code == "CGROUP_MISSING");
  CHECK_FALSE(withdraw_devices("/sys/fs/cgroup/none", "a").value());
  NEEDS_GROUP(group, mount_of(1));
  confine(group);
  REQUIRE(grant_devices(group.path(), "a", {full}).ok());
  group.remove();
  CHECK_FALSE(withdraw_devices(group.path(), "a").value());
}

// SPDX-License-Identifier: Apache-2.0
// Version 2 of control groups, with filters as container runtimes attach them and processes that try.
#include <cstring>

#include "control_group_fixture.hpp"

using namespace crosswire;
using namespace crosswire::os;
using namespace crosswire::test;

namespace {

std::vector<LoadedProgram> programs_of(const TestGroup& group) {
  std::vector<LoadedProgram> programs;
  const auto ids = attached_programs(group.open().get(), Attached::here, "test");
  REQUIRE(ids.ok());
  for (const auto id : ids.value().ids) programs.push_back(std::move(read_program(id, "test").value()));
  return programs;
}

bool same(const std::vector<LoadedProgram>& a, const std::vector<LoadedProgram>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const LoadedProgram& x, const LoadedProgram& y) {
    return x.name == y.name && x.instructions.size() == y.instructions.size() &&
           std::memcmp(x.instructions.data(), y.instructions.data(), x.instructions.size() * sizeof(bpf_insn)) == 0;
  });
}

}  // namespace

TEST_CASE("device access, version 2: a process may open the node from the grant to its end") {
  for (const uint32_t flags : {BPF_F_ALLOW_MULTI, BPF_F_ALLOW_OVERRIDE, 0U}) {
    NEEDS_GROUP(group, mount_of(2));
    REQUIRE(group.attach(runtime_filter({{1, 3}}), "sd_devices", flags));
    const auto before = programs_of(group);
    REQUIRE(group.opens("/dev/full") == EPERM);
    for (int round = 0; round < 2; ++round) {  // idempotent
      const auto access = grant_devices(group.path(), "a", {full, null});
      REQUIRE(access.ok());
      CHECK(access.value().version == 2);
      CHECK(access.value().opened == std::vector{full});
    }
    CHECK(group.opens("/dev/full") == 0);
    CHECK(group.opens("/dev/zero") == EPERM);
    CHECK(programs_of(group).size() == 1);
    CHECK(withdraw_devices(group.path(), "a").value());
    CHECK(group.opens("/dev/full") == EPERM);
    CHECK(group.opens("/dev/null") == 0);
    CHECK(same(programs_of(group), before));
    CHECK(programs_of(group)[0].id == before[0].id);  // `before` keeps it, as systemd does: the very one comes back
    CHECK_FALSE(withdraw_devices(group.path(), "a").value());
  }
}

TEST_CASE("device access, version 2: a program that nobody keeps comes back with the same instructions and name") {
  NEEDS_GROUP(group, mount_of(2));
  REQUIRE(group.attach(runtime_filter({{1, 3}}), "runtime"));
  auto before = programs_of(group);
  for (auto& program : before) program.fd.reset();
  REQUIRE(grant_devices(group.path(), "a", {full}).ok());
  CHECK_FALSE(same(programs_of(group), before));
  REQUIRE(withdraw_devices(group.path(), "a").ok());
  CHECK(same(programs_of(group), before));
}

TEST_CASE("device access, version 2: the last holder of a node takes it along") {
  NEEDS_GROUP(group, mount_of(2));
  REQUIRE(group.attach(runtime_filter({}), ""));
  const auto before = programs_of(group);
  REQUIRE(grant_devices(group.path(), "a", {full}).ok());
  REQUIRE(grant_devices(group.path(), "b", {zero, full}).ok());
  REQUIRE(withdraw_devices(group.path(), "a").ok());
  CHECK(group.opens("/dev/full") == 0);
  CHECK(group.opens("/dev/zero") == 0);
  REQUIRE(withdraw_devices(group.path(), "b").ok());
  CHECK(group.opens("/dev/full") == EPERM);
  CHECK(same(programs_of(group), before));
}

TEST_CASE("device access, version 2: of several programs every one that refuses is opened") {
  NEEDS_GROUP(group, mount_of(2));
  REQUIRE(group.attach(runtime_filter({}), "first"));
  REQUIRE(group.attach(runtime_filter({{1, 7}}), "second"));
  REQUIRE(group.attach(runtime_filter({{1, 3}}), "third"));
  const auto before = programs_of(group);
  REQUIRE(grant_devices(group.path(), "a", {full}).ok());
  CHECK(group.opens("/dev/full") == 0);
  const auto now = programs_of(group);
  REQUIRE(now.size() == 3);
  CHECK(now[1].id == before[1].id);
  REQUIRE(withdraw_devices(group.path(), "a").ok());
  CHECK(same(programs_of(group), before));
}

TEST_CASE("device access, version 2: a grant is asked for again after the runtime replaced the program") {
  NEEDS_GROUP(group, mount_of(2));
  REQUIRE(group.attach(runtime_filter({}), "old"));
  REQUIRE(grant_devices(group.path(), "a", {full}).ok());
  auto ours = programs_of(group);
  const Fd updated(load_filter(runtime_filter({{1, 3}}), "new"));
  REQUIRE(replace_program(group.open().get(), BPF_F_ALLOW_MULTI, ours[0].fd, updated, "test").ok());
  CHECK(group.opens("/dev/full") == EPERM);
  REQUIRE(grant_devices(group.path(), "a", {full}).ok());
  CHECK(group.opens("/dev/full") == 0);
  REQUIRE(withdraw_devices(group.path(), "a").ok());
  CHECK(programs_of(group)[0].name == "new");
  CHECK(group.opens("/dev/full") == EPERM);
}

TEST_CASE("device access, version 2: without a program nothing is refused, nothing done, nothing recorded") {
  NEEDS_GROUP(group, mount_of(2));
  const auto access = grant_devices(group.path(), "a", {full});
  REQUIRE(access.ok());
  CHECK(access.value().opened.empty());
  CHECK(programs_of(group).empty());
  CHECK_FALSE(withdraw_devices(group.path(), "a").value());
}

TEST_CASE("device access, version 2: a grant that was cut short behind its record is finished, or taken back") {
  NEEDS_GROUP(group, mount_of(2));
  REQUIRE(group.attach(runtime_filter({}), "runtime"));
  const auto before = programs_of(group);
  for (const bool finished : {true, false}) {
    const auto directory = group.open();
    REQUIRE(write_grant_record(directory.get(), "test", "a", {rule_of(full, access_all)}).ok());
    if (finished) REQUIRE(grant_devices(group.path(), "a", {full}).ok());
    CHECK(group.opens("/dev/full") == (finished ? 0 : EPERM));
    CHECK(withdraw_devices(group.path(), "a").value());
    CHECK(same(programs_of(group), before));
    CHECK(read_grant_records(directory.get(), "test").value().empty());
  }
}

TEST_CASE("device access, version 2: a refusal above is named, and nothing is changed") {
  NEEDS_GROUP(above, mount_of(2));
  REQUIRE(above.attach(runtime_filter({{1, 5}}), "above"));
  NEEDS_GROUP(group, above.path());
  REQUIRE(group.attach(runtime_filter({}), "here"));
  const auto before = programs_of(group);
  const auto refused = grant_devices(group.path(), "a", {zero, full});
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == "DEVICE_REFUSED_ABOVE");
  CHECK(refused.error().subject == above.path());
  CHECK(same(programs_of(group), before));
  CHECK_FALSE(withdraw_devices(group.path(), "a").value());
  REQUIRE(grant_devices(group.path(), "a", {zero}).ok());
  CHECK(group.opens("/dev/zero") == 0);
}

TEST_CASE("device access, version 2: a program that the kernel does not show whole is left alone") {
  NEEDS_GROUP(group, mount_of(2));
  REQUIRE(group.attach(runtime_filter({}), "clear"));
  REQUIRE(group.attach(calling_filter(), "calling"));
  const auto before = programs_of(group);
  const auto refused = grant_devices(group.path(), "a", {full});
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == "DEVICE_PROGRAM_OPAQUE");
  CHECK(same(programs_of(group), before));
  CHECK_FALSE(withdraw_devices(group.path(), "a").value());
}

// SPDX-License-Identifier: Apache-2.0
#include "os/device_program.hpp"

#include <doctest/doctest.h>

#include <cstring>

#include "os/device_rule.hpp"
#include "support/device_filter.hpp"

using namespace crosswire::os;
using crosswire::test::calling_filter;
using crosswire::test::instruction;
using crosswire::test::runtime_filter;

namespace {

const DeviceNode null{1, 3}, vfio{10, 196}, group{240, 7};

bool same(const Instructions& a, const Instructions& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof a[0]) == 0;
}

}  // namespace

TEST_CASE("device programs: what a runtime's filter says, access by access") {
  const auto filter = runtime_filter({{1, 3}});
  CHECK(verdict_of(filter, null, access_read | access_write) == true);
  CHECK(verdict_of(filter, vfio, access_mknod) == true);
  CHECK(verdict_of(filter, vfio, access_read) == false);
  CHECK(allows_all(filter, null) == true);
  CHECK(allows_all(filter, vfio) == false);
}

TEST_CASE("device programs: an opening allows its nodes and nothing else, and comes off again") {
  const auto filter = runtime_filter({{1, 3}});
  const OpenedProgram wanted{{vfio, group}, {42, "sd_devices", filter}};
  const auto opened = with_opening(wanted);
  for (const auto& node : {null, vfio, group}) CHECK(allows_all(opened, node) == true);
  for (const auto& node : {DeviceNode{10, 197}, {11, 196}, {240, 8}, {10, 7}}) {
    CHECK(verdict_of(opened, node, access_read) == false);
  }
  const auto split = split_opening(opened);
  REQUIRE(split);
  CHECK(split->nodes == wanted.nodes);
  CHECK(split->original.id == 42);
  CHECK(split->original.name == "sd_devices");
  CHECK(same(split->original.instructions, filter));
}

TEST_CASE("device programs: nobody else's program is taken for one of ours") {
  CHECK_FALSE(split_opening({}));
  CHECK_FALSE(split_opening(runtime_filter({{1, 3}})));
  const auto opened = with_opening({{vfio}, {1, "x", runtime_filter({})}});
  for (size_t at = 0; at < 16; ++at) {
    auto changed = opened;
    changed[at].off = static_cast<int16_t>(changed[at].off ^ 0x40);
    CHECK_FALSE(split_opening(changed));
    CHECK_FALSE(split_opening(InstructionView(opened).first(at)));
  }
  auto endless = opened;
  endless[1].imm = -1;
  CHECK_FALSE(split_opening(endless));
}

TEST_CASE("device programs: what cannot be followed is said to be so, and never read beyond") {
  const auto leave = instruction(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
  const auto wrong = {
      calling_filter(),
      {},
      {instruction(BPF_JMP | BPF_JA, 0, 0, -1, 0)},                  // endless loop
      {instruction(BPF_JMP | BPF_JA, 0, 0, 30'000, 0), leave},       // out of the program
      {instruction(BPF_LDX | BPF_MEM | BPF_W, 0, 1, 10, 0), leave},  // out of the context
      {instruction(BPF_LDX | BPF_MEM | BPF_W, 0, 1, -4, 0), leave},
      {instruction(BPF_LDX | BPF_MEM | BPF_W, 0, 2, 0, 0), leave},         // not the context
      {instruction(BPF_LDX | BPF_MEM | BPF_W, 12, 1, 0, 0), leave},        // no such register
      {instruction(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 1)},              // no end
      {instruction(BPF_ALU64 | BPF_ADD | BPF_K, 1, 0, 0, 4), leave},       // calculates with an address
      {instruction(BPF_LD | BPF_IMM | BPF_DW, 0, 1, 0, 0), leave, leave},  // a map
  };
  for (const auto& program : wrong) CHECK_FALSE(verdict_of(program, vfio, access_read).has_value());
  CHECK(verdict_of(Instructions{instruction(BPF_ALU64 | BPF_MOV | BPF_X, 6, 1, 0, 0),
                                instruction(BPF_LDX | BPF_MEM | BPF_H, 0, 6, 8, 0), leave},
                   vfio, access_read) == true);  // the context from another register, half a word of it
}

TEST_CASE("device programs: those that the kernel does not show whole are not loaded again") {
  CHECK(can_be_loaded_again(runtime_filter({{1, 3}})));
  CHECK_FALSE(can_be_loaded_again(calling_filter()));
  CHECK_FALSE(can_be_loaded_again({}));
  CHECK_FALSE(can_be_loaded_again(Instructions{instruction(BPF_LD | BPF_IMM | BPF_DW, 0, 1, 0, 0)}));
}

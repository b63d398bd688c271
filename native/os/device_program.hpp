// SPDX-License-Identifier: Apache-2.0
// A program that decides on device access (BPF_PROG_TYPE_CGROUP_DEVICE), with an opening of ours in front: it allows
// some nodes and leaves everything else to the program behind it. No system calls here.
//
//        +--------------------+
//        | identification     |  never read by the program itself: how many nodes, id and name of the original
//        | node 1?  -> allow  |
//        | node 2?  -> allow  |
//        +--------------------+
//        | the original,      |
//        | unchanged          |
//        +--------------------+
//
// A second program beside the first would not help: all programs must allow. Neither would a tail call: the kernel
// empties a BPF_MAP_TYPE_PROG_ARRAY when no process and no bpffs holds it (map_release_uref in arraymap.c), so the
// workload would lose its devices when the forwarder dies.
#pragma once

#include <linux/bpf.h>

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "os/device_node.hpp"

namespace crosswire::os {

using Instructions = std::vector<bpf_insn>;
using InstructionView = std::span<const bpf_insn>;

struct OriginalProgram {
  uint32_t id = 0;
  std::string name;  // at most BPF_OBJ_NAME_LEN - 1
  Instructions instructions;
};

struct OpenedProgram {
  std::vector<DeviceNode> nodes;
  OriginalProgram original;
};

Instructions with_opening(const OpenedProgram& program);
// Empty: the program has no opening of ours.
std::optional<OpenedProgram> split_opening(InstructionView program);

// Whether the instructions that the kernel shows can be loaded again. Those of container runtimes and systemd can,
// since they use only the context. The kernel shows calls and maps without their targets (bpf_insn_prepare_dump() of
// kernel/bpf/syscall.c).
bool can_be_loaded_again(InstructionView program);

// The program's verdict on an access (bits of device_rule.hpp) to a node. Empty: it uses instructions that only the
// kernel can run.
std::optional<bool> verdict_of(InstructionView program, const DeviceNode& node, uint8_t access);
// For every kind of access that the kernel asks about.
std::optional<bool> allows_all(InstructionView program, const DeviceNode& node);

}  // namespace crosswire::os

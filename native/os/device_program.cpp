// SPDX-License-Identifier: Apache-2.0
#include "os/device_program.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

namespace crosswire::os {

namespace {

constexpr int32_t mark = 0x43775844;  // "CwXD"
constexpr size_t name_words = BPF_OBJ_NAME_LEN / sizeof(int32_t);
constexpr size_t identification = 3 + name_words;  // mark, number of nodes, id, name
constexpr size_t before_nodes = identification + 5;
constexpr size_t per_node = 4;
constexpr size_t most_nodes = 1024;  // a jump reaches 32767 instructions

// Registers. r1 holds the context of the program and must still hold it where the original begins.
constexpr uint8_t verdict = BPF_REG_0, context = BPF_REG_1, type = BPF_REG_2, major = BPF_REG_3, minor = BPF_REG_4;

bpf_insn set(uint8_t to, int32_t value) { return {BPF_ALU64 | BPF_MOV | BPF_K, to, 0, 0, value}; }
bpf_insn load(uint8_t to, size_t offset) {
  return {BPF_LDX | BPF_W | BPF_MEM, to, context, static_cast<int16_t>(offset), 0};
}
bpf_insn keep_bits(uint8_t in, int32_t bits) { return {BPF_ALU | BPF_AND | BPF_K, in, 0, 0, bits}; }
bpf_insn skip_unless(uint8_t is, uint32_t value, size_t skipped) {
  return {BPF_JMP32 | BPF_JNE | BPF_K, is, 0, static_cast<int16_t>(skipped), static_cast<int32_t>(value)};
}
bpf_insn leave() { return {BPF_JMP | BPF_EXIT, 0, 0, 0, 0}; }

size_t opening_length(size_t nodes) { return before_nodes + per_node * nodes; }

Instructions opening_of(const std::vector<DeviceNode>& nodes, uint32_t id, const std::string& name) {
  std::array<int32_t, name_words> words{};
  std::memcpy(words.data(), name.data(), std::min(name.size(), sizeof words - 1));
  Instructions code{set(verdict, mark), set(verdict, static_cast<int32_t>(nodes.size())),
                    set(verdict, static_cast<int32_t>(id))};
  for (const auto word : words) code.push_back(set(verdict, word));
  code.push_back(load(type, offsetof(bpf_cgroup_dev_ctx, access_type)));
  code.push_back(keep_bits(type, 0xffff));  // above them: the access
  code.push_back(skip_unless(type, BPF_DEVCG_DEV_CHAR, 2 + per_node * nodes.size()));
  code.push_back(load(major, offsetof(bpf_cgroup_dev_ctx, major)));
  code.push_back(load(minor, offsetof(bpf_cgroup_dev_ctx, minor)));
  for (const auto& node : nodes) {
    code.push_back(skip_unless(major, node.major, 3));
    code.push_back(skip_unless(minor, node.minor, 2));
    code.push_back(set(verdict, 1));
    code.push_back(leave());
  }
  return code;
}

bool same(InstructionView a, InstructionView b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

std::string name_from(InstructionView words) {
  std::string name(sizeof(int32_t) * words.size(), '\0');
  for (size_t i = 0; i < words.size(); ++i) std::memcpy(&name[sizeof(int32_t) * i], &words[i].imm, sizeof(int32_t));
  return name.c_str();
}

}  // namespace

Instructions with_opening(const OpenedProgram& program) {
  auto code = opening_of(program.nodes, program.original.id, program.original.name);
  code.insert(code.end(), program.original.instructions.begin(), program.original.instructions.end());
  return code;
}

std::optional<OpenedProgram> split_opening(InstructionView program) {
  if (program.size() < before_nodes || program[0].imm != mark) return {};
  const auto count = static_cast<uint32_t>(program[1].imm);
  if (count > most_nodes || program.size() < opening_length(count)) return {};
  OpenedProgram split;
  split.original.id = static_cast<uint32_t>(program[2].imm);
  split.original.name = name_from(program.subspan(3, name_words));
  for (size_t i = 0; i < count; ++i) {
    const auto node = program.subspan(before_nodes + per_node * i);
    split.nodes.push_back({static_cast<uint32_t>(node[0].imm), static_cast<uint32_t>(node[1].imm)});
  }
  const auto opening = program.first(opening_length(count));
  if (!same(opening, opening_of(split.nodes, split.original.id, split.original.name))) return {};
  const auto rest = program.subspan(opening.size());
  split.original.instructions.assign(rest.begin(), rest.end());
  return split;
}

}  // namespace crosswire::os

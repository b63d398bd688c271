// SPDX-License-Identifier: Apache-2.0
// An interpreter for the part of BPF that device programs use, since the kernel does not run them on request (they have
// no BPF_PROG_TEST_RUN): Documentation/bpf/standardization/instruction-set.rst of the kernel.
#include <linux/bpf.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "os/device_program.hpp"
#include "os/device_rule.hpp"

namespace crosswire::os {

namespace {

constexpr size_t most_steps = 100'000;  // of programs with loops

bool is_jump_elsewhere(uint8_t operation) { return operation == BPF_CALL || operation == BPF_EXIT; }

std::optional<uint64_t> calculated(uint8_t operation, uint64_t a, uint64_t b, uint64_t width) {
  switch (operation) {
    case BPF_ADD:
      return a + b;
    case BPF_SUB:
      return a - b;
    case BPF_MUL:
      return a * b;
    case BPF_OR:
      return a | b;
    case BPF_AND:
      return a & b;
    case BPF_XOR:
      return a ^ b;
    case BPF_LSH:
      return a << (b & (width - 1));
    case BPF_RSH:
      return a >> (b & (width - 1));
    case BPF_MOV:
      return b;
    default:
      return {};
  }
}

std::optional<bool> compared(uint8_t operation, uint64_t a, uint64_t b) {
  switch (operation) {
    case BPF_JEQ:
      return a == b;
    case BPF_JNE:
      return a != b;
    case BPF_JGT:
      return a > b;
    case BPF_JGE:
      return a >= b;
    case BPF_JLT:
      return a < b;
    case BPF_JLE:
      return a <= b;
    case BPF_JSET:
      return (a & b) != 0;
    default:
      return {};
  }
}

class Machine {
 public:
  Machine(InstructionView program, const bpf_cgroup_dev_ctx& context) : program_(program), context_(context) {
    registers_[BPF_REG_1].is_context = true;
  }

  std::optional<bool> run() {
    for (size_t step = 0; step < most_steps && at_ < program_.size(); ++step) {
      const auto& code = program_[at_++];
      if (code.code == (BPF_JMP | BPF_EXIT)) return registers_[BPF_REG_0].value != 0;
      if (code.dst_reg >= MAX_BPF_REG || code.src_reg >= MAX_BPF_REG || !execute(code)) return {};
    }
    return {};
  }

 private:
  struct Register {
    uint64_t value = 0;
    bool is_context = false;
  };

  // false: an instruction that this interpreter does not know.
  bool execute(const bpf_insn& code) {
    switch (BPF_CLASS(code.code)) {
      case BPF_ALU:
      case BPF_ALU64:
        return calculate(code);
      case BPF_JMP:
      case BPF_JMP32:
        return jump(code);
      case BPF_LDX:
        return load(code);
      default:
        return false;
    }
  }

  bool calculate(const bpf_insn& code) {
    const bool wide = BPF_CLASS(code.code) == BPF_ALU64;
    auto& to = registers_[code.dst_reg];
    const bool from_register = BPF_SRC(code.code) == BPF_X;
    const bool copies = BPF_OP(code.code) == BPF_MOV;
    if (code.off != 0) return false;  // a move that extends the sign
    if (from_register && copies && wide) {
      to = registers_[code.src_reg];
      return true;
    }
    if ((to.is_context && !copies) || (from_register && registers_[code.src_reg].is_context)) return false;
    auto a = to.value;
    auto b = operand(code);
    if (!wide) a &= UINT32_MAX, b &= UINT32_MAX;
    const auto result = calculated(BPF_OP(code.code), a, b, wide ? 64 : 32);
    if (result) to = {wide ? *result : *result & UINT32_MAX, false};
    return result.has_value();
  }

  bool jump(const bpf_insn& code) {
    const auto operation = BPF_OP(code.code);
    const bool wide = BPF_CLASS(code.code) == BPF_JMP;
    if (operation == BPF_JA) return wide && go(code.off);
    if (is_jump_elsewhere(operation)) return false;
    if (registers_[code.dst_reg].is_context) return false;
    if (BPF_SRC(code.code) == BPF_X && registers_[code.src_reg].is_context) return false;
    auto a = registers_[code.dst_reg].value;
    auto b = operand(code);
    if (!wide) a &= UINT32_MAX, b &= UINT32_MAX;
    const auto holds = compared(operation, a, b);
    return holds && go(*holds ? code.off : 0);
  }

  bool load(const bpf_insn& code) {
    size_t size = 0;
    if (code.code == (BPF_LDX | BPF_MEM | BPF_W)) size = 4;
    if (code.code == (BPF_LDX | BPF_MEM | BPF_H)) size = 2;
    if (code.code == (BPF_LDX | BPF_MEM | BPF_B)) size = 1;
    const auto offset = static_cast<size_t>(code.off);
    if (size == 0 || code.off < 0 || offset + size > sizeof context_) return false;
    if (!registers_[code.src_reg].is_context) return false;
    uint32_t value = 0;
    std::memcpy(&value, reinterpret_cast<const char*>(&context_) + offset, size);  // as on every little-endian machine
    registers_[code.dst_reg] = {value, false};
    return true;
  }

  uint64_t operand(const bpf_insn& code) const {
    if (BPF_SRC(code.code) == BPF_X) return registers_[code.src_reg].value;
    return static_cast<uint64_t>(static_cast<int64_t>(code.imm));
  }

  bool go(int16_t offset) {
    const auto target = static_cast<int64_t>(at_) + offset;
    if (target < 0 || target >= static_cast<int64_t>(program_.size())) return false;
    at_ = static_cast<size_t>(target);
    return true;
  }

  InstructionView program_;
  bpf_cgroup_dev_ctx context_;
  std::array<Register, MAX_BPF_REG> registers_{};
  size_t at_ = 0;
};

// Loads and stores may address only the context and the stack.
bool stands_alone(const bpf_insn& code) {
  if (code.dst_reg >= MAX_BPF_REG || code.src_reg >= MAX_BPF_REG) return false;
  switch (BPF_CLASS(code.code)) {
    case BPF_ALU:
    case BPF_ALU64:
      return true;
    case BPF_JMP:
    case BPF_JMP32:
      return BPF_OP(code.code) != BPF_CALL;
    case BPF_LDX:
    case BPF_ST:
    case BPF_STX:
      return BPF_MODE(code.code) == BPF_MEM;
    default:
      return false;
  }
}

}  // namespace

bool can_be_loaded_again(InstructionView program) {
  return !program.empty() && std::ranges::all_of(program, stands_alone);
}

std::optional<bool> verdict_of(InstructionView program, const DeviceNode& node, uint8_t access) {
  const uint32_t access_type = static_cast<uint32_t>(access) << 16 | BPF_DEVCG_DEV_CHAR;
  return Machine(program, {access_type, node.major, node.minor}).run();
}

std::optional<bool> allows_all(InstructionView program, const DeviceNode& node) {
  bool all = true;
  for (const auto access : asked_accesses) {
    const auto allowed = verdict_of(program, node, access);
    if (!allowed) return {};
    all = all && *allowed;
  }
  return all;
}

}  // namespace crosswire::os

// SPDX-License-Identifier: Apache-2.0
// A device filter as container runtimes attach it to a control group of version 2: it allows to make every node and to
// open the given character devices, and refuses the rest.
#pragma once

#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

namespace crosswire::test {

inline bpf_insn instruction(int code, int to, int from, int offset, int32_t value) {
  return {static_cast<uint8_t>(code), static_cast<uint8_t>(to), static_cast<uint8_t>(from),
          static_cast<int16_t>(offset), value};
}

inline std::vector<bpf_insn> runtime_filter(const std::vector<std::pair<int, int>>& allowed) {
  const auto set = [](int to, int value) { return instruction(BPF_ALU | BPF_MOV | BPF_K, to, 0, 0, value); };
  const auto load = [](int to, int offset) { return instruction(BPF_LDX | BPF_MEM | BPF_W, to, 1, offset, 0); };
  const auto unless = [](int is, int value, int skipped) {
    return instruction(BPF_JMP | BPF_JNE | BPF_K, is, 0, skipped, value);
  };
  const auto leave = instruction(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
  std::vector<bpf_insn> code{
      load(2, 0),
      instruction(BPF_ALU | BPF_AND | BPF_K, 2, 0, 0, 0xffff),  // type
      load(3, 0),
      instruction(BPF_ALU | BPF_RSH | BPF_K, 3, 0, 0, 16),  // access
      load(4, 4),
      load(5, 8),  // major, minor
      unless(3, BPF_DEVCG_ACC_MKNOD, 2),
      set(0, 1),
      leave,
  };
  for (const auto& [major, minor] : allowed) {
    const std::vector<bpf_insn> rule{unless(2, BPF_DEVCG_DEV_CHAR, 4), unless(4, major, 3), unless(5, minor, 2),
                                     set(0, 1), leave};
    code.insert(code.end(), rule.begin(), rule.end());
  }
  code.insert(code.end(), {set(0, 0), leave});
  return code;
}

// A program unlike those of container runtimes: it calls the kernel (bpf_ktime_get_ns) and then refuses.
inline std::vector<bpf_insn> calling_filter() {
  return {instruction(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_ktime_get_ns),
          instruction(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0), instruction(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)};
}

// The descriptor of the program, or -1 and errno.
inline int load_filter(const std::vector<bpf_insn>& code, const char* name) {
  bpf_attr attributes{};
  attributes.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  attributes.insns = reinterpret_cast<uintptr_t>(code.data());
  attributes.insn_cnt = static_cast<uint32_t>(code.size());
  attributes.license = reinterpret_cast<uintptr_t>("GPL");
  std::strncpy(attributes.prog_name, name, sizeof attributes.prog_name - 1);
  return static_cast<int>(::syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof attributes));
}

inline bool attach_filter(int group, int program, uint32_t flags) {
  bpf_attr attributes{};
  attributes.target_fd = static_cast<uint32_t>(group);
  attributes.attach_bpf_fd = static_cast<uint32_t>(program);
  attributes.attach_type = BPF_CGROUP_DEVICE;
  attributes.attach_flags = flags;
  return ::syscall(SYS_bpf, BPF_PROG_ATTACH, &attributes, sizeof attributes) == 0;
}

}  // namespace crosswire::test

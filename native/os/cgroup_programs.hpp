// SPDX-License-Identifier: Apache-2.0
// The programs that decide on device access in a control group of version 2 (bpf(2)). `group` is a descriptor of the
// group's directory; `subject` names it in the errors, which all have the code DEVICE_PROGRAM_REFUSED.
#pragma once

#include <string>
#include <vector>

#include "core/result.hpp"
#include "os/device_program.hpp"
#include "os/fd.hpp"

namespace crosswire::os {

struct AttachedPrograms {
  std::vector<uint32_t> ids;
  uint32_t flags = 0;  // of the group: BPF_F_ALLOW_MULTI, BPF_F_ALLOW_OVERRIDE or neither
};

enum class Attached : uint8_t {
  here,      // attached to this group
  in_force,  // all that apply to this group, including those of the groups above
};

Result<AttachedPrograms> attached_programs(int group, Attached which, const std::string& subject);

struct LoadedProgram {
  Fd fd;
  uint32_t id = 0;
  std::string name;
  Instructions instructions;  // empty where the kernel does not show them
};

Result<LoadedProgram> read_program(uint32_t id, const std::string& subject);
Result<Fd> load_program(const Instructions& instructions, const std::string& name, const std::string& subject);
// Replaces atomically: one of the two is always in force.
Result<> replace_program(int group, uint32_t flags, const Fd& old, const Fd& replacement, const std::string& subject);

}  // namespace crosswire::os

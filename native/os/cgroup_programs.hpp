// SPDX-License-Identifier: Apache-2.0
// The programs that decide on device access in a control group of version 2, by bpf(2). `group` is a descriptor of the
// group's directory; `subject` is for the errors, all of code DEVICE_PROGRAM_REFUSED.
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
  here,      // to this group
  in_force,  // those of the groups above too, where they apply
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
// In one step: at no time the group is without either.
Result<> replace_program(int group, uint32_t flags, const Fd& old, const Fd& replacement, const std::string& subject);

}  // namespace crosswire::os

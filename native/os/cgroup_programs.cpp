// SPDX-License-Identifier: Apache-2.0
#include "os/cgroup_programs.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "os/error.hpp"

namespace crosswire::os {

namespace {

constexpr size_t most_programs = 256;  // the kernel takes 64 at one group (BPF_CGROUP_MAX_PROGS), times its depth

// Passes the whole union always: Linux 6.17 writes the last member of a query whatever length it is given.
int64_t bpf(bpf_cmd command, bpf_attr& attributes) {
  return ::syscall(SYS_bpf, command, &attributes, sizeof attributes);
}

Error refused(const char* operation, const std::string& subject) {
  return system_error("DEVICE_PROGRAM_REFUSED", operation, subject, errno);
}

uint64_t address_of(const void* memory) { return reinterpret_cast<uintptr_t>(memory); }

int64_t read_info(const Fd& program, bpf_prog_info& info) {
  bpf_attr attributes{};
  attributes.info.bpf_fd = static_cast<uint32_t>(program.get());
  attributes.info.info_len = sizeof info;
  attributes.info.info = address_of(&info);
  return bpf(BPF_OBJ_GET_INFO_BY_FD, attributes);
}

}  // namespace

Result<AttachedPrograms> attached_programs(int group, Attached which, const std::string& subject) {
  AttachedPrograms programs;
  programs.ids.resize(most_programs);
  bpf_attr attributes{};
  attributes.query.target_fd = static_cast<uint32_t>(group);
  attributes.query.attach_type = BPF_CGROUP_DEVICE;
  attributes.query.query_flags = which == Attached::in_force ? BPF_F_QUERY_EFFECTIVE : 0;
  attributes.query.prog_ids = address_of(programs.ids.data());
  attributes.query.prog_cnt = most_programs;
  if (bpf(BPF_PROG_QUERY, attributes) != 0) return refused("list the device programs", subject);
  programs.ids.resize(std::min<size_t>(attributes.query.prog_cnt, most_programs));
  programs.flags = attributes.query.attach_flags;
  return programs;
}

Result<LoadedProgram> read_program(uint32_t id, const std::string& subject) {
  bpf_attr attributes{};
  attributes.prog_id = id;
  LoadedProgram program{Fd(static_cast<int>(bpf(BPF_PROG_GET_FD_BY_ID, attributes))), id, {}, {}};
  if (!program.fd) return refused("open a device program", subject);
  bpf_prog_info info{};
  if (read_info(program.fd, info) != 0) return refused("read a device program", subject);
  program.instructions.resize(info.xlated_prog_len / sizeof(bpf_insn));
  bpf_prog_info whole{};
  whole.xlated_prog_len = static_cast<uint32_t>(program.instructions.size() * sizeof(bpf_insn));
  whole.xlated_prog_insns = address_of(program.instructions.data());
  if (read_info(program.fd, whole) != 0) return refused("read a device program", subject);
  if (whole.xlated_prog_insns == 0) program.instructions.clear();
  program.name.assign(whole.name, strnlen(whole.name, sizeof whole.name));
  return program;
}

Result<Fd> load_program(const Instructions& instructions, const std::string& name, const std::string& subject) {
  bpf_attr attributes{};
  attributes.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  attributes.insns = address_of(instructions.data());
  attributes.insn_cnt = static_cast<uint32_t>(instructions.size());
  attributes.license = address_of("Apache-2.0");
  std::memcpy(attributes.prog_name, name.data(), std::min(name.size(), sizeof attributes.prog_name - 1));
  int64_t fd = -1;
  // A signal interrupts the verifier (EAGAIN, since Linux 4.20).
  for (int attempt = 0; attempt < 10; ++attempt) {
    fd = bpf(BPF_PROG_LOAD, attributes);
    if (fd >= 0 || errno != EAGAIN) break;
  }
  if (fd < 0) return refused("load a device program", subject);
  return Fd(static_cast<int>(fd));
}

Result<> replace_program(int group, uint32_t flags, const Fd& old, const Fd& replacement, const std::string& subject) {
  bpf_attr attributes{};
  attributes.target_fd = static_cast<uint32_t>(group);
  attributes.attach_bpf_fd = static_cast<uint32_t>(replacement.get());
  attributes.attach_type = BPF_CGROUP_DEVICE;
  attributes.attach_flags = flags;
  // In a group that takes one program only, a new program replaces the attached one implicitly (linux/bpf.h).
  if ((flags & BPF_F_ALLOW_MULTI) != 0) {
    attributes.attach_flags |= BPF_F_REPLACE;
    attributes.replace_bpf_fd = static_cast<uint32_t>(old.get());
  }
  if (bpf(BPF_PROG_ATTACH, attributes) != 0) return refused("replace a device program", subject);
  return Done{};
}

}  // namespace crosswire::os

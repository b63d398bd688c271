// SPDX-License-Identifier: Apache-2.0
// Makes the kernel refuse writes that it would accept: a seccomp(2) filter for writev(2), for one thread.
#pragma once

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>
#include <thread>

namespace crosswire::test {

// Makes every writev(2) of this thread with more than `parts` parts fail. Returns why that is impossible; empty on
// success.
inline std::string refuse_long_writes(uint32_t parts, uint16_t error) {
  std::array<sock_filter, 6> program = {{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_writev, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[2])),
      BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, parts, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | uint32_t{error}),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  }};
  const sock_fprog filter{.len = program.size(), .filter = program.data()};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return std::string("PR_SET_NO_NEW_PRIVS: ") + std::strerror(errno);
  if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0) return "";
  return std::string("PR_SET_SECCOMP: ") + std::strerror(errno);
}

// Runs `action` on a thread of its own under that filter.
template <class Action>
std::string with_refused_writes(uint32_t parts, uint16_t error, Action action) {
  std::string problem;
  std::thread([&] {
    problem = refuse_long_writes(parts, error);
    if (problem.empty()) action();
  }).join();
  return problem;
}

}  // namespace crosswire::test

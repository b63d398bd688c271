// SPDX-License-Identifier: Apache-2.0
// Attaches a device filter to a control group of version 2 as a container runtime does, for the system tests:
//
//   device_filter GROUP [MAJOR:MINOR...]     these character devices may be opened, no others
#include "support/device_filter.hpp"

#include <fcntl.h>

#include <cerrno>
#include <cstdio>

using namespace crosswire::test;

int main(int count, char** words) {
  if (count < 2) return 2;
  std::vector<std::pair<int, int>> allowed;
  for (int i = 2; i < count; ++i) {
    std::pair<int, int> node;
    if (std::sscanf(words[i], "%d:%d", &node.first, &node.second) != 2) return 2;
    allowed.push_back(node);
  }
  const int group = ::open(words[1], O_RDONLY | O_DIRECTORY);
  const int program = load_filter(runtime_filter(allowed), "runtime");
  if (group >= 0 && program >= 0 && attach_filter(group, program, BPF_F_ALLOW_MULTI)) return 0;
  std::perror(words[1]);
  return 1;
}

// SPDX-License-Identifier: Apache-2.0
// The network namespaces that can be found on this machine: for clean-up, and to resolve `inode:` references.
#pragma once

#include <string>
#include <vector>

#include "os/netns.hpp"

namespace crosswire::os {

struct NamespaceEntry {
  std::string path;
  NamespaceIdentity identity;
};

// Those mounted below /run/netns and those that a process lives in (/proc/PID/ns/net), each once, the mounted path
// preferred: it outlives the process. What vanishes meanwhile, or may not be looked at, is left out.
std::vector<NamespaceEntry> list_namespaces();

}  // namespace crosswire::os

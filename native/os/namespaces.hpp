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

// The namespaces that are mounted below /run/netns and those of processes (/proc/PID/ns/net), each once. A mounted path
// is preferred, since it outlives processes. Namespaces that vanish meanwhile, or are not accessible, are left out.
std::vector<NamespaceEntry> list_namespaces();

}  // namespace crosswire::os

// SPDX-License-Identifier: Apache-2.0
// Settings of a network namespace below /proc/sys/net, which shows those of the namespace that the reader is in.
#pragma once

#include <string>
#include <vector>

#include "os/interface.hpp"

namespace crosswire::os {

// Fills in allows_ping of these interfaces, which are all of one namespace.
Result<> read_ping(const std::string& netns, std::vector<InterfaceInfo>& interfaces);

// Keeps the namespace that the caller is in from having anything to do with an interface of its own: no IPv6 on it, no
// IPv4 but from sources behind it, of which there are none, and none of that forwarded. Errors: SYSCTL_REFUSED.
Result<> close_to_stack(const std::string& interface);

// Makes it so, and says what was there, for restore_ping(). Errors: SYSCTL_REFUSED and those of NamespaceGuard.
struct PingSettings {
  std::string group_range;   // of net.ipv4.ping_group_range
  std::string disable_ipv6;  // of the interface; empty: no IPv6 here
};
Result<PingSettings> allow_ping(const std::string& netns, const std::string& interface);
void restore_ping(const std::string& netns, const std::string& interface, const PingSettings& before);

}  // namespace crosswire::os

// SPDX-License-Identifier: Apache-2.0
// Settings of a network namespace below /proc/sys/net, which shows those of the reader's namespace.
#pragma once

#include <string>
#include <vector>

#include "os/interface.hpp"

namespace crosswire::os {

// Fills in allows_ping of these interfaces, which are all of one namespace.
Result<> read_ping(const std::string& netns, std::vector<InterfaceInfo>& interfaces);

// Keeps the network stack of the caller's namespace off one of its interfaces: no IPv6 on it; IPv4 only from sources
// behind it (rp_filter), of which there are none; no forwarding. Errors: SYSCTL_REFUSED.
Result<> close_to_stack(const std::string& interface);

// Allows ping, and returns the previous settings for restore_ping(). Errors: SYSCTL_REFUSED and those of
// NamespaceGuard.
struct PingSettings {
  std::string group_range;   // of net.ipv4.ping_group_range
  std::string disable_ipv6;  // of the interface; empty: no IPv6 here
};
Result<PingSettings> allow_ping(const std::string& netns, const std::string& interface);
void restore_ping(const std::string& netns, const std::string& interface, const PingSettings& before);

}  // namespace crosswire::os

// SPDX-License-Identifier: Apache-2.0
// The steps of change_interface(). A step that changes something pushes its inverse. Private to os/interface_*.cpp.
#pragma once

#include <functional>
#include <vector>

#include "os/interface_read.hpp"

namespace crosswire::os {

struct InterfaceEdit {
  NetlinkSocket& socket;
  InterfaceReference interface;  // for texts; its name follows a rename
  InterfaceInfo before;          // with the details that can get lost
  std::vector<std::function<void()>> undo{};

  int index() const { return static_cast<int>(before.index); }
};

Result<> rename(InterfaceEdit& edit, const std::string& name);
Result<> set_mtu(InterfaceEdit& edit, uint32_t mtu);
Result<> set_mac(InterfaceEdit& edit, const MacAddress& mac);
Result<> set_up(InterfaceEdit& edit, bool up);

Result<> add_address(InterfaceEdit& edit, const IpPrefix& address);
Result<> remove_address(InterfaceEdit& edit, const IpPrefix& address);
Result<> add_route(InterfaceEdit& edit, const Route& route);
Result<> remove_route(InterfaceEdit& edit, const Route& route);
Result<> add_neighbour(InterfaceEdit& edit, const Neighbour& neighbour);
Result<> remove_neighbour(InterfaceEdit& edit, const Neighbour& neighbour);
Result<> set_policies(InterfaceEdit& edit, const std::vector<Policy>& policies);
Result<> allow_ping(InterfaceEdit& edit);

// A route of a policy, in the table of that policy.
Verdict request_table_route(InterfaceEdit& edit, uint16_t type, const Route& route, uint32_t table);

}  // namespace crosswire::os

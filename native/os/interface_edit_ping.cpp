// SPDX-License-Identifier: Apache-2.0
#include "os/interface_edit.hpp"
#include "os/sysctl.hpp"

namespace crosswire::os {

Result<> allow_ping(InterfaceEdit& edit) {
  const auto& [netns, name] = edit.interface;
  auto before = allow_ping(netns, name);
  if (!before) return std::move(before).error();
  edit.undo.push_back([netns = netns, name = name, before = before.value()] { restore_ping(netns, name, before); });
  return Done{};
}

}  // namespace crosswire::os

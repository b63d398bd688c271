// SPDX-License-Identifier: Apache-2.0
// What this machine and this process can do, as found by trial.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace crosswire::os {

struct MachineProbe {
  std::string kernel;                     // release, as uname(2) says
  std::vector<std::string> capabilities;  // effective, of those that we use
  bool tun = false;                       // /dev/net/tun can be opened
  bool tun_virtio_header = false;
  bool udp_segmentation = false;  // a TUN device takes UDP segments (TUN_F_USO4 and 6, Linux 6.2)
  bool memfd = false;             // memfd_create with seals
  bool abstract_sockets = false;
  std::map<std::string, bool> tunnels;  // see supported_tunnels()
};

// Takes a moment, since it creates a TUN device in a namespace of its own; both are gone when it returns.
MachineProbe probe_machine();

}  // namespace crosswire::os

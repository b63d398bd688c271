// SPDX-License-Identifier: Apache-2.0
#include "os/machine_probe.hpp"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/utsname.h>

#include <thread>
#include <utility>

#include "os/fd.hpp"
#include "os/tunnel.hpp"

// Newer than the headers of Debian 12 (linux/if_tun.h of Linux 6.2).
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

namespace crosswire::os {

namespace {

std::vector<std::string> effective_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[2]{};
  if (::syscall(SYS_capget, &header, sets) != 0) return {};
  std::vector<std::string> names;
  for (const auto& [number, name] :
       {std::pair(CAP_NET_ADMIN, "CAP_NET_ADMIN"), std::pair(CAP_NET_RAW, "CAP_NET_RAW"),
        std::pair(CAP_IPC_LOCK, "CAP_IPC_LOCK"), std::pair(CAP_SYS_ADMIN, "CAP_SYS_ADMIN")}) {
    if ((sets[CAP_TO_INDEX(number)].effective & CAP_TO_MASK(number)) != 0) names.emplace_back(name);
  }
  return names;
}

Fd open_tun() { return Fd(::open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK)); }

bool has_virtio_header() {
  const auto tun = open_tun();
  unsigned int features = 0;
  return tun && ::ioctl(tun.get(), TUNGETFEATURES, &features) == 0 && (features & IFF_VNET_HDR) != 0;
}

// Offloads belong to a device, so the probe creates one; it vanishes with the thread's own namespace.
bool takes_udp_segments() {
  bool taken = false;
  std::thread([&taken] {
    if (::unshare(CLONE_NEWNET) != 0) return;
    const auto tun = open_tun();
    ifreq request{};
    request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
    if (!tun || ::ioctl(tun.get(), TUNSETIFF, &request) != 0) return;
    taken = ::ioctl(tun.get(), TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_USO4 | TUN_F_USO6) == 0;
  }).join();
  return taken;
}

bool has_sealed_memory_files() {
  const Fd file(::memfd_create("crosswire-probe", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  return file && ::fcntl(file.get(), F_ADD_SEALS, F_SEAL_SHRINK) == 0;
}

// A bind without a name asks the kernel for an abstract one (unix(7), "autobind").
bool has_abstract_sockets() {
  const Fd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  return socket && ::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof(sa_family_t)) == 0;
}

}  // namespace

MachineProbe probe_machine() {
  MachineProbe probe;
  utsname name{};
  if (::uname(&name) == 0) probe.kernel = name.release;
  probe.capabilities = effective_capabilities();
  probe.tun = static_cast<bool>(open_tun());
  probe.tun_virtio_header = has_virtio_header();
  probe.udp_segmentation = takes_udp_segments();
  probe.memfd = has_sealed_memory_files();
  probe.abstract_sockets = has_abstract_sockets();
  probe.tunnels = supported_tunnels();
  return probe;
}

}  // namespace crosswire::os

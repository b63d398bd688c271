// SPDX-License-Identifier: Apache-2.0
#include "os/tunnel_port.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <thread>

#include "os/error.hpp"
#include "os/netns.hpp"

namespace crosswire::os {

namespace {

constexpr const char* operation = "open tunnel port";
constexpr const char* device_name = "tunnel";
constexpr uint32_t vlan_tag = 4;
// 65535 less outer IP, UDP, VXLAN and an Ethernet header: the most the device takes (vxlan_config_apply()).
constexpr uint32_t longest_v4 = 65485, longest_v6 = 65465;
// The queue of a super-frame sender, and what a burst may have under way: both in bytes of kernel memory.
constexpr int queue_bytes = 8 << 20;

// Nobody but the packet socket is to see or send frames there: no neighbour discovery, no listener reports. Without
// IPv6 in the kernel there is nothing to switch off.
bool silence_ipv6() {
  const Fd file(::open("/proc/sys/net/ipv6/conf/default/disable_ipv6", O_WRONLY | O_CLOEXEC));
  return file ? ::write(file.get(), "1", 1) == 1 : errno == ENOENT;
}

// A thread of its own enters the new namespace and ends; the descriptor keeps it.
Result<Fd> make_namespace() {
  Fd made;
  int failure = 0;
  std::thread([&] {
    if (::unshare(CLONE_NEWNET) == 0 && silence_ipv6())
      made = Fd(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    if (!made) failure = errno;
  }).join();
  if (!made) return system_error("TUNNEL_FAILED", operation, "a network namespace of its own", failure);
  return made;
}

Result<> create_device(const InterfaceReference& device, const Tunnel& tunnel, uint32_t mtu) {
  const uint32_t longest = tunnel.local.family == AF_INET ? longest_v4 : longest_v6;
  const MacAddress nobody{0x02, 0, 0, 0, 0, 0x01};
  // A packet socket refuses what is longer than the device's MTU: a second tag must not count (packet_snd()).
  return create_vxlan({device, operation, nobody, std::min(mtu + vlan_tag, longest), tunnel});
}

Result<> create_device(const InterfaceReference& device, const WireguardEnd& end, uint32_t mtu) {
  return create_wireguard({device, operation, mtu, end.tunnel, end.private_key});
}

bool set_option(const Fd& socket, int level, int option, int value) {
  return ::setsockopt(socket.get(), level, option, &value, sizeof value) == 0;
}

}  // namespace

std::string TunnelPort::path() const { return "/proc/self/fd/" + std::to_string(namespace_.get()); }

Result<TunnelPort> TunnelPort::open(const TunnelEnd& tunnel, uint32_t mtu) {
  auto made = make_namespace();
  if (!made) return std::move(made).error();
  TunnelPort port(std::move(made).value());
  auto done = port.make_device(tunnel, mtu);
  if (done) done = port.open_socket();
  if (!done) return std::move(done).error();
  return port;
}

Result<> TunnelPort::make_device(const TunnelEnd& tunnel, uint32_t mtu) const {
  const InterfaceReference device{path(), device_name};
  auto done = std::visit([&](const auto& end) { return create_device(device, end, mtu); }, tunnel);
  if (!done) return done;
  InterfaceChange up;
  up.interface = device;
  up.alias = operation;
  up.up = true;
  return change_interface(up);
}

Result<> TunnelPort::open_socket() {
  auto inside = NamespaceGuard::enter(path());
  if (!inside) return std::move(inside).error();
  // No protocol until it is set up: no frame comes in without its header (packet(7)).
  Fd made(::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = static_cast<int>(::if_nametoindex(device_name));
  const bool ready = made && set_option(made, SOL_PACKET, PACKET_VNET_HDR, 1) &&
                     set_option(made, SOL_PACKET, PACKET_AUXDATA, 1) &&
                     set_option(made, SOL_SOCKET, SO_RCVBUFFORCE, queue_bytes) &&
                     set_option(made, SOL_SOCKET, SO_SNDBUFFORCE, queue_bytes) &&
                     ::bind(made.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  if (!ready) return system_error("TUNNEL_FAILED", operation, "packet socket", errno);
  socket_ = std::move(made);
  return Done{};
}

TunnelPort::~TunnelPort() {
  if (!namespace_) return;  // moved from
  socket_.reset();
  (void)delete_interface({path(), device_name}, operation);
}

}  // namespace crosswire::os

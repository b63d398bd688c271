// SPDX-License-Identifier: Apache-2.0
#include "os/packet_socket.hpp"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/socket.h>

#include <cerrno>

#include "os/error.hpp"
#include "os/netns.hpp"

namespace crosswire::os {

namespace {

constexpr const char* operation = "open packet socket";
// Of each queue, receive and send: room for bursts of super-frames, in bytes of kernel memory.
constexpr int queue_bytes = 8 << 20;

bool set_option(const Fd& socket, int level, int option, int value) {
  return ::setsockopt(socket.get(), level, option, &value, sizeof value) == 0;
}

bool hear_multicasts(const Fd& socket, int index) {
  packet_mreq all{};
  all.mr_ifindex = index;
  all.mr_type = PACKET_MR_ALLMULTI;
  return ::setsockopt(socket.get(), SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof all) == 0;
}

}  // namespace

Result<Fd> open_packet_socket(const std::string& netns, const std::string& interface) {
  auto inside = NamespaceGuard::enter(netns);
  if (!inside) return std::move(inside).error();
  const int index = static_cast<int>(::if_nametoindex(interface.c_str()));
  if (index == 0) return system_error("INTERFACE_MISSING", operation, interface, errno);
  // No protocol until the options are set, so that no frame arrives without its virtio_net_hdr (packet(7)).
  Fd made(::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = index;
  const bool ready = made && set_option(made, SOL_PACKET, PACKET_VNET_HDR, 1) &&
                     set_option(made, SOL_PACKET, PACKET_AUXDATA, 1) &&
                     set_option(made, SOL_SOCKET, SO_RCVBUFFORCE, queue_bytes) &&
                     set_option(made, SOL_SOCKET, SO_SNDBUFFORCE, queue_bytes) && hear_multicasts(made, index) &&
                     ::bind(made.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  if (!ready) return system_error("PACKET_SOCKET_FAILED", operation, interface, errno);
  return made;
}

}  // namespace crosswire::os

// SPDX-License-Identifier: Apache-2.0
// A tunnel for user space: a VXLAN or WireGuard device of the kernel's in a namespace that has nothing else, seen only
// through a packet socket. All of it goes with the descriptors, also when the process dies.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string>
#include <variant>

#include "core/result.hpp"
#include "os/fd.hpp"
#include "os/interface.hpp"

namespace crosswire::os {

struct WireguardEnd {
  WireguardTunnel tunnel;
  WireguardKey private_key{};
};
using TunnelEnd = std::variant<Tunnel, WireguardEnd>;

class TunnelPort {
 public:
  // `mtu`: of an IP packet inside, without tags. Errors: those of create_vxlan(), create_wireguard() and
  // change_interface(), TUNNEL_FAILED.
  static Result<TunnelPort> open(const TunnelEnd& tunnel, uint32_t mtu);
  TunnelPort(TunnelPort&&) noexcept = default;
  TunnelPort& operator=(TunnelPort&&) = delete;
  // The device goes before it returns, so that the next one of this VNI or port may come. Left to the kernel, it would
  // go later.
  ~TunnelPort();

  // Non-blocking. Like a TAP, it carries a little-endian virtio_net_hdr of ten bytes in front of every frame, and takes
  // and gives unfinished checksums and super-frames. To be written with writev(2), and read with receive_frame().
  Fd take_socket() noexcept { return std::move(socket_); }

 private:
  explicit TunnelPort(Fd home) noexcept : namespace_(std::move(home)) {}
  std::string path() const;
  Result<> make_device(const TunnelEnd& tunnel, uint32_t mtu) const;
  Result<> open_socket();

  Fd namespace_;
  Fd socket_;
};

// Like read(2) of a TAP, and with errno set likewise (EMSGSIZE: there was no room): virtio_net_hdr and frame, with its
// VLAN tag, from room[begin] on.
constexpr size_t receive_gap = 4;  // that `room` must have beyond the longest frame
ssize_t receive_frame(int socket, std::span<uint8_t> room, size_t& begin) noexcept;

// Frames that found the socket's queue full, since it was last asked.
uint32_t take_overruns(int socket) noexcept;

}  // namespace crosswire::os

// SPDX-License-Identifier: Apache-2.0
// A tunnel for user space: a tunnel device in a namespace of its own, used only through a packet socket. The kernel
// removes both when the descriptors are closed, also when the process dies.
#pragma once

#include <cstdint>
#include <string>

#include "core/result.hpp"
#include "os/fd.hpp"
#include "os/tunnel_kinds.hpp"

namespace crosswire::os {

class TunnelPort {
 public:
  // `mtu` is the longest IP packet inside the tunnel. Errors: those of create_tunnel(), change_interface(),
  // make_namespace() and open_packet_socket().
  static Result<TunnelPort> open(const TunnelParameters& tunnel, uint32_t mtu);
  TunnelPort(TunnelPort&&) noexcept = default;
  TunnelPort& operator=(TunnelPort&&) = delete;
  // Deletes the device before it returns, so that another with the same VNI or UDP port can be created at once. The
  // kernel alone would delete it later.
  ~TunnelPort();

  // Of open_packet_socket().
  Fd take_socket() noexcept { return std::move(socket_); }

 private:
  explicit TunnelPort(Fd home) noexcept : namespace_(std::move(home)) {}
  std::string path() const;
  Result<> make_device(const TunnelParameters& tunnel, uint32_t mtu) const;

  Fd namespace_;
  Fd socket_;
};

}  // namespace crosswire::os

// SPDX-License-Identifier: Apache-2.0
// A tunnel for user space: a device of the kernel's in a namespace that has nothing else, seen only
// through a packet socket. All of it goes with the descriptors, also when the process dies.
#pragma once

#include <cstdint>
#include <string>

#include "core/result.hpp"
#include "os/fd.hpp"
#include "os/tunnel_kinds.hpp"

namespace crosswire::os {

class TunnelPort {
 public:
  // `mtu`: of an IP packet inside, without tags. Errors: those of create_tunnel(), change_interface(),
  // make_namespace() and open_packet_socket().
  static Result<TunnelPort> open(const TunnelParameters& tunnel, uint32_t mtu);
  TunnelPort(TunnelPort&&) noexcept = default;
  TunnelPort& operator=(TunnelPort&&) = delete;
  // The device goes before it returns, so that the next one of this VNI or port may come. Left to the kernel, it would
  // go later.
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

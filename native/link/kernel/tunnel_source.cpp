// SPDX-License-Identifier: Apache-2.0
#include "link/kernel/tunnel_source.hpp"

#include "link/kernel/packet_source.hpp"
#include "os/tunnel.hpp"

namespace crosswire {

const char* TunnelSource::kind() const noexcept { return os::kind_of(tunnel_); }

std::string TunnelSource::interface() const { return os::describe(tunnel_); }

Result<os::Fd> TunnelSource::open() {
  auto port = os::TunnelPort::open(tunnel_, mtu_);
  if (!port) return std::move(port).error();
  port_.emplace(std::move(port).value());
  return port_->take_socket();
}

InterfaceCondition TunnelSource::read(int fd, BurstReader& reader) noexcept { return read_packets(fd, reader); }

}  // namespace crosswire

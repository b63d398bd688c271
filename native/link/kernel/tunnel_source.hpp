// SPDX-License-Identifier: Apache-2.0
// Frames of a tunnel to another node, by a device of the link's own.
#pragma once

#include <optional>

#include "link/kernel/frame_source.hpp"
#include "os/tunnel_port.hpp"

namespace crosswire {

class TunnelSource final : public FrameSource {
 public:
  TunnelSource(const os::TunnelParameters& tunnel, uint32_t mtu) : tunnel_(tunnel), mtu_(mtu) {}

  const char* kind() const noexcept override;
  std::string interface() const override;
  Result<os::Fd> open() override;  // errors: those of os::TunnelPort::open()
  void close() noexcept override { port_.reset(); }
  InterfaceCondition read(int fd, BurstReader& reader) noexcept override;

 private:
  const os::TunnelParameters tunnel_;
  const uint32_t mtu_;
  std::optional<os::TunnelPort> port_;
};

}  // namespace crosswire

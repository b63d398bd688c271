// SPDX-License-Identifier: Apache-2.0
// Frames of a TUN or TAP device.
#pragma once

#include "link/kernel/frame_source.hpp"

namespace crosswire {

class TunSource final : public FrameSource {
 public:
  TunSource(TunInterface interface, Payload payload) : interface_(std::move(interface)), payload_(payload) {}

  const char* kind() const noexcept override { return payload_ == Payload::ethernet ? "tap" : "tun"; }
  std::string interface() const override { return interface_.name; }
  Result<os::Fd> open() override;  // errors: those of os::attach_tun()
  InterfaceCondition read(int fd, BurstReader& reader) noexcept override;

 private:
  const TunInterface interface_;
  const Payload payload_;
};

}  // namespace crosswire

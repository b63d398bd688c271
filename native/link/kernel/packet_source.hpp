// SPDX-License-Identifier: Apache-2.0
// Frames of an interface, by a packet socket.
#pragma once

#include "link/kernel/frame_source.hpp"

namespace crosswire {

class PacketSource final : public FrameSource {
 public:
  explicit PacketSource(PacketInterface interface) : interface_(std::move(interface)) {}

  const char* kind() const noexcept override { return "device"; }
  std::string interface() const override { return interface_.name; }
  Result<os::Fd> open() override;  // errors: those of os::open_packet_socket()
  InterfaceCondition read(int fd, BurstReader& reader) noexcept override;

 private:
  const PacketInterface interface_;
};

// For every source whose descriptor is a packet socket.
InterfaceCondition read_packets(int socket, BurstReader& reader) noexcept;

}  // namespace crosswire

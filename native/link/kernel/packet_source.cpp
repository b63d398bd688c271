// SPDX-License-Identifier: Apache-2.0
#include "link/kernel/packet_source.hpp"

#include "link/kernel/burst_reader.hpp"
#include "os/packet_socket.hpp"

namespace crosswire {

Result<os::Fd> PacketSource::open() { return os::open_packet_socket(interface_.netns, interface_.name); }

InterfaceCondition PacketSource::read(int fd, BurstReader& reader) noexcept { return read_packets(fd, reader); }

InterfaceCondition read_packets(int socket, BurstReader& reader) noexcept {
  const auto condition = reader.read_all(
      [socket](std::span<uint8_t> room, size_t& begin) { return os::receive_frame(socket, room, begin); });
  // Frames are lost only while the queue is full: after a burst without frames there is no need to ask.
  if (reader.has_frames()) reader.drop(DropReason::tx_full, os::take_overruns(socket));
  return condition;
}

}  // namespace crosswire

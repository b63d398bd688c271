// SPDX-License-Identifier: Apache-2.0
// A packet socket (packet(7)) on an interface. Like the queue of a TAP, it carries a little-endian virtio_net_hdr of
// ten bytes in front of every frame, and takes and gives unfinished checksums and super-frames. To be written with
// writev(2), and read with receive_frame().
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string>

#include "core/result.hpp"
#include "os/fd.hpp"

namespace crosswire::os {

// Non-blocking, with room for a burst of super-frames in both directions. It receives every frame that the interface
// accepts, and all multicasts. Errors: those of open_namespace(), INTERFACE_MISSING, PACKET_SOCKET_FAILED.
Result<Fd> open_packet_socket(const std::string& netns, const std::string& interface);

// Like read(2) on a TAP, and with errno set likewise (EMSGSIZE: there was no room): virtio_net_hdr and frame, with its
// VLAN tag, from room[begin] on. ENETDOWN: the interface went down; later calls may return frames again.
constexpr size_t receive_gap = 4;  // what `room` needs beyond the longest frame
ssize_t receive_frame(int socket, std::span<uint8_t> room, size_t& begin) noexcept;

// Frames that were lost to a full queue of the socket since the last call.
uint32_t take_overruns(int socket) noexcept;

}  // namespace crosswire::os

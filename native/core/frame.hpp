// SPDX-License-Identifier: Apache-2.0
// A frame as it crosses a wire: lent views of the source's own memory, never a copy, never owned.
#pragma once

#include <cstdint>

namespace crosswire {

// A wire's payload decides where a frame begins: at the Ethernet header (no FCS), or at the IP header.
enum class Payload : uint8_t { ethernet, ip };

// The longest frame any wire carries: a 64 KiB IP packet behind an Ethernet header with two VLAN tags.
inline constexpr uint32_t ethernet_header = 14;
inline constexpr uint32_t max_frame_length = 65535 + ethernet_header + 8;

struct Segment {
  const uint8_t* data;
  uint32_t length;
};

// Work left to do on a frame, as struct virtio_net_hdr states it (linux/virtio_net.h), checked against the frame's
// own headers by the source link. Offsets count from the first byte of the frame.
struct Offload {
  enum class Segmentation : uint8_t { none, tcp4, tcp6, udp };

  // Fill in the 16-bit ones' complement sum over [checksum_start, end); the field holds the pseudo header's sum, as
  // Linux leaves it (CHECKSUM_PARTIAL, with the length of the whole frame). Always set with segmentation.
  bool needs_checksum = false;
  uint16_t checksum_start = 0;
  uint16_t checksum_offset = 0;  // of the field, from checksum_start
  Segmentation segmentation = Segmentation::none;
  bool congestion = false;     // tcp: the first segment carries CWR (VIRTIO_NET_HDR_GSO_ECN)
  uint16_t header_length = 0;  // bytes repeated in front of every segment (only with segmentation)
  uint16_t segment_size = 0;   // payload bytes of every segment but the last (only with segmentation)
};

// Bytes may live in shared memory that a hostile peer rewrites at any moment: copy a header before deciding by it.
struct Frame {
  const uint8_t* data;   // first segment
  uint32_t head_length;  // bytes in the first segment
  uint32_t length;       // bytes in all segments
  uint16_t more = 0;     // further segments: burst.segments[first_more .. first_more + more)
  uint16_t first_more = 0;
  uint16_t offload = 0;  // 0: complete as it stands; else burst.offloads[offload - 1]
  uint16_t units = 1;    // wire frames this stands for: 1, or the number of segments it will be split into
};

// A super-frame counts everywhere as the frames it stands for, so that both ends of a wire count the same thing.
inline uint64_t wire_bytes(const Frame& frame, const Offload* offload) {
  return frame.units <= 1 ? frame.length : frame.length + uint64_t{frame.units - 1u} * offload->header_length;
}

// The longest of those frames, for comparing with a sink's max_frame.
inline uint32_t longest_wire_frame(const Frame& frame, const Offload* offload) {
  return frame.units <= 1 || offload == nullptr ? frame.length
                                                : uint32_t{offload->header_length} + offload->segment_size;
}

}  // namespace crosswire

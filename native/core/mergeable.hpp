// SPDX-License-Identifier: Apache-2.0
// One frame of a TCP or UDP flow, as the Coalescer looks at it.
#pragma once

#include <array>
#include <cstdint>

#include "core/burst.hpp"
#include "core/checksum.hpp"
#include "core/headers.hpp"

namespace crosswire {

// Ethernet with two tags, IPv6, and TCP with all options.
inline constexpr uint32_t max_mergeable_header = 14 + 8 + 40 + 60;

struct Mergeable {
  std::array<uint8_t, 128> header;  // a private copy in which the values below are zero: equal within a super-frame
  TransportHeaders at;
  uint32_t payload_length = 0;
  uint32_t sequence = 0;       // TCP
  uint16_t id = 0;             // IPv4
  uint16_t ip_checksum = 0;    // IPv4
  uint16_t checksum = 0;       // TCP or UDP
  uint8_t last_flags = 0;      // TCP: FIN and PSH, which only the last frame of a super-frame may carry
  bool dont_fragment = false;  // IPv4

  bool is_tcp() const { return at.protocol == 6; }
  uint16_t checksum_offset() const { return is_tcp() ? 16 : 6; }  // RFC 9293 §3.1, RFC 768
};

// False if the frame cannot be merged: it is incomplete, neither TCP nor UDP, or padded, has IPv4 options or IPv6
// extensions, has SYN, RST, URG or CWR set, or lacks a payload or a checksum. Its checksums are not verified here.
bool read_mergeable(const Burst& burst, const Frame& frame, Payload payload, Mergeable& out) noexcept;

// Frames of one super-frame differ only in the zeroed values, so all the rest of a header is summed up once.
class SharedSums {
 public:
  SharedSums() = default;
  explicit SharedSums(const Mergeable& any) noexcept;

  // Whether the frame's checksums are right.
  bool holds(const Mergeable& frame, std::span<const Segment> payload) const noexcept;

 private:
  uint16_t network_ = 0;    // of the IPv4 header
  uint16_t transport_ = 0;  // of the pseudo header and the transport header
};

// Turns the header of the first frame into that of a super-frame with `payload_length` bytes of payload: lengths,
// checksums and flags; the transport checksum becomes the pseudo header's sum (CHECKSUM_PARTIAL).
void finish_merged(Mergeable& first, uint32_t payload_length, uint8_t last_flags) noexcept;

}  // namespace crosswire

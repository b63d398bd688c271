// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "core/burst.hpp"

namespace crosswire {

// Every decision about a frame uses a private copy of at most this many of its first bytes: enough for Ethernet with
// tags, IPv6 with extension headers and TCP with all options.
inline constexpr uint32_t max_header = 256;

// Where the headers of a TCP or UDP frame lie. Offsets count from the first byte of the frame.
struct TransportHeaders {
  uint16_t network = 0;    // the IPv4 or IPv6 header
  uint16_t transport = 0;  // the TCP or UDP header
  uint16_t end = 0;        // the first byte behind it
  uint8_t ip_version = 0;  // 4 or 6
  uint8_t protocol = 0;    // IPPROTO_TCP or IPPROTO_UDP
};

// Parses Ethernet with any VLAN tags (not on payload ip), IPv4 or IPv6 with extension headers, TCP or UDP. Empty for
// other frames, for fragments, and for headers that contradict themselves or do not fit into `bytes`.
std::optional<TransportHeaders> parse_transport(std::span<const uint8_t> bytes, Payload payload) noexcept;

// Copies up to `size` first bytes of a frame, across its segments; returns how many there were.
uint32_t copy_head(const Burst& burst, const Frame& frame, uint8_t* out, uint32_t size) noexcept;

// Whether a packet's first byte is that of IPv4 or IPv6 (wires of payload ip carry nothing else).
constexpr bool starts_ip(uint8_t first) { return (first >> 4) == 4 || (first >> 4) == 6; }

}  // namespace crosswire

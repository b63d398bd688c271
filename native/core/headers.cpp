// SPDX-License-Identifier: Apache-2.0
#include "core/headers.hpp"

#include <algorithm>
#include <cstring>

#include "core/bytes.hpp"

namespace crosswire {
namespace {

constexpr uint16_t ethertype_ipv4 = 0x0800, ethertype_ipv6 = 0x86dd;
constexpr uint8_t protocol_tcp = 6, protocol_udp = 17;
constexpr uint8_t hop_by_hop = 0, routing = 43, authentication = 51, destination_options = 60;

constexpr bool is_tag(uint16_t ethertype) {
  return ethertype == 0x8100 || ethertype == 0x88a8 || ethertype == 0x9100;  // 802.1Q, 802.1ad, QinQ before it
}

using Bytes = std::span<const uint8_t>;
using Found = std::optional<TransportHeaders>;

Found parse_tcp_or_udp(Bytes bytes, TransportHeaders found, uint32_t at) {
  uint32_t length = 8;
  if (found.protocol == protocol_tcp) {
    if (at + 20 > bytes.size()) return {};
    length = (bytes[at + 12] >> 4) * 4u;
    if (length < 20) return {};
  } else if (found.protocol != protocol_udp) {
    return {};
  }
  if (at + length > bytes.size()) return {};
  found.transport = static_cast<uint16_t>(at);
  found.end = static_cast<uint16_t>(at + length);
  return found;
}

Found parse_ipv4(Bytes bytes, uint32_t at) {
  if (at + 20 > bytes.size() || bytes[at] >> 4 != 4) return {};
  const uint32_t length = (bytes[at] & 15) * 4u;
  const bool fragment = (load_be16(&bytes[at + 6]) & 0x3fff) != 0;  // more fragments, or an offset
  if (length < 20 || fragment) return {};
  const TransportHeaders found{.network = static_cast<uint16_t>(at), .ip_version = 4, .protocol = bytes[at + 9]};
  return parse_tcp_or_udp(bytes, found, at + length);
}

// RFC 8200 §4. Each extension header moves `next` on by at least 8 bytes, so the loop ends with the bytes.
Found parse_ipv6(Bytes bytes, uint32_t at) {
  if (at + 40 > bytes.size() || bytes[at] >> 4 != 6) return {};
  uint8_t type = bytes[at + 6];
  uint32_t next = at + 40;
  while (type == hop_by_hop || type == routing || type == destination_options || type == authentication) {
    if (next + 8 > bytes.size()) return {};
    const uint32_t units = bytes[next + 1];
    const uint32_t length = type == authentication ? (units + 2) * 4 : (units + 1) * 8;  // RFC 4302 §2.2
    type = bytes[next];
    next += length;
  }
  const TransportHeaders found{.network = static_cast<uint16_t>(at), .ip_version = 6, .protocol = type};
  return parse_tcp_or_udp(bytes, found, next);
}

}  // namespace

Found parse_transport(Bytes bytes, Payload payload) noexcept {
  bytes = bytes.first(std::min<size_t>(bytes.size(), max_header));
  if (bytes.empty()) return {};
  if (payload == Payload::ip) return bytes[0] >> 4 == 6 ? parse_ipv6(bytes, 0) : parse_ipv4(bytes, 0);

  uint32_t type_at = 12;
  while (type_at + 2 <= bytes.size() && is_tag(load_be16(&bytes[type_at]))) type_at += 4;
  if (type_at + 2 > bytes.size()) return {};
  switch (load_be16(&bytes[type_at])) {
    case ethertype_ipv4:
      return parse_ipv4(bytes, type_at + 2);
    case ethertype_ipv6:
      return parse_ipv6(bytes, type_at + 2);
    default:
      return {};
  }
}

uint32_t copy_head(const Burst& burst, const Frame& frame, uint8_t* out, uint32_t size) noexcept {
  size = std::min(size, frame.length);
  uint32_t copied = std::min(size, frame.head_length);
  if (copied > 0) std::memcpy(out, frame.data, copied);
  if (copied == size) return copied;
  for (const Segment& segment : burst.more_of(frame)) {
    const uint32_t piece = std::min(size - copied, segment.length);
    if (piece > 0) std::memcpy(out + copied, segment.data, piece);
    copied += piece;
    if (copied == size) break;
  }
  return copied;
}

}  // namespace crosswire

// SPDX-License-Identifier: Apache-2.0
#include "link/memif/flow_hash.hpp"

#include <cstring>

#include "core/bytes.hpp"
#include "core/headers.hpp"

namespace crosswire::memif {
namespace {

constexpr uint32_t head_size = 14 + 2 * 4 + 40;  // Ethernet, two tags, IPv6

uint64_t mix(uint64_t hash, const uint8_t* bytes, uint32_t words) {
  for (uint32_t i = 0; i < words; i++) {
    uint32_t word;
    std::memcpy(&word, bytes + i * 4, sizeof word);
    hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
    hash ^= hash >> 32;
  }
  return hash;
}

// Where the network header begins, if it is IP.
uint32_t network_offset(const uint8_t* head, uint32_t length) {
  uint32_t at = 12;
  for (int tags = 0; at + 2 <= length; tags++) {
    const uint16_t type = load_be16(head + at);
    at += 2;
    if (type == 0x0800 || type == 0x86DD) return at;
    if ((type != 0x8100 && type != 0x88A8) || tags == 2) break;
    at += 2;
  }
  return length;
}

}  // namespace

uint32_t flow_hash(const Burst& burst, const Frame& frame, Payload payload) noexcept {
  uint8_t head[head_size];
  const uint32_t length = copy_head(burst, frame, head, sizeof head);
  uint64_t hash = 0;
  uint32_t at = 0;
  if (payload == Payload::ethernet && length >= 14) {
    hash = mix(hash, head, 3);
    at = network_offset(head, length);
  }
  if (at + 20 <= length && head[at] >> 4 == 4) {
    hash = mix(hash, head + at + 12, 2);
  } else if (at + 40 <= length && head[at] >> 4 == 6) {
    hash = mix(hash, head + at + 8, 8);
  }
  return static_cast<uint32_t>(hash >> 32);
}

}  // namespace crosswire::memif

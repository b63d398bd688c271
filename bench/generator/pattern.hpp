// SPDX-License-Identifier: Apache-2.0
// The contents of frames: an Ethernet header, a stamp that is written for every frame, and a payload that is written
// once for each buffer and compared byte for byte on every arrival. Each buffer has another payload, so that mixed-up
// frames are noticed.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>

namespace crosswire::bench {

struct [[gnu::packed]] Stamp {
  uint8_t destination[6];
  uint8_t source[6];
  uint16_t ether_type;  // 0x88b5: IEEE 802 local experimental
  uint16_t pattern;     // where the payload begins in the table
  uint16_t wire;
  uint16_t length;  // of the whole frame
  uint64_t sequence;
  uint64_t time;  // in cycles: when the frame was due, not when it was sent
};
static_assert(sizeof(Stamp) == 36);

constexpr uint32_t least_frame = 60;
constexpr uint32_t most_frame = 9216;
constexpr uint32_t patterns = 251;  // prime, so that neighbours in any power-of-two stride differ

class Pattern {
 public:
  Pattern();
  /** Fills the `number`-th buffer, of at most most_frame bytes. */
  void fill(uint8_t* frame, uint32_t size, uint32_t number) const;
  /** Inline, because it is called for every frame. */
  bool intact(const uint8_t* frame, uint32_t size) const {
    if (size < least_frame || size > most_frame) return false;
    Stamp stamp;
    std::memcpy(&stamp, frame, sizeof stamp);
    if (stamp.ether_type != 0xb588 || stamp.length != size || stamp.pattern >= patterns) return false;
    return same(frame + sizeof stamp, table_.data() + stamp.pattern, size - sizeof stamp);
  }

 private:
  // For a small frame, comparing two overlapping words of 16 bytes is cheaper than a call of memcmp(3).
  static bool same(const uint8_t* a, const uint8_t* b, uint32_t size) {
    if (size < 16 || size > 32) return std::memcmp(a, b, size) == 0;
    const uint32_t last = size - 16;
    return std::memcmp(a, b, 16) == 0 && std::memcmp(a + last, b + last, 16) == 0;
  }

  std::array<uint8_t, most_frame + patterns> table_;
};

}  // namespace crosswire::bench

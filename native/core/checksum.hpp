// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace crosswire {

// The Internet checksum (RFC 1071): ones' complement sum of big-endian 16-bit words over memory that may come in
// pieces of any length. Values are host integers, to be stored with store_be16().
class Checksum {
 public:
  void add(const uint8_t* data, size_t length) noexcept;
  void add_number(uint16_t value) noexcept { numbers_ += value; }

  uint16_t sum() const noexcept;
  uint16_t complement() const noexcept { return static_cast<uint16_t>(~sum()); }

 private:
  uint64_t pieces_ = 0;   // 16-bit words in memory order: the byte order matters only at the end
  uint64_t numbers_ = 0;  // words given as numbers
  bool odd_ = false;      // the pieces so far end in the middle of a word
};

// a − b in ones' complement: the sum a without the word b (RFC 1624).
constexpr uint16_t ones_complement_subtract(uint16_t a, uint16_t b) {
  const uint32_t difference = uint32_t{a} + static_cast<uint16_t>(~b);
  return static_cast<uint16_t>((difference & 0xffff) + (difference >> 16));
}

}  // namespace crosswire

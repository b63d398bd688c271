// SPDX-License-Identifier: Apache-2.0
#include "core/checksum.hpp"

#include <cstring>

#include "core/bytes.hpp"

namespace crosswire {
namespace {

// Two words of 64 bits in one register; the compilers make SSE2 or NEON of it.
typedef uint64_t Pair __attribute__((vector_size(16)));

constexpr uint16_t fold(uint64_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(sum);
}

uint16_t swapped(uint16_t word) { return static_cast<uint16_t>(word << 8 | word >> 8); }

// 32-bit words added up in 64-bit lanes: no carry to catch for the first 2^32 of them (RFC 1071 §2, "deferred
// carries"), and half the cycles of an add-with-carry chain.
uint64_t sum_memory(const uint8_t* data, size_t length) {
  constexpr Pair low_half = {0xffffffff, 0xffffffff};
  Pair a{}, b{}, c{}, d{};
  for (; length >= 32; length -= 32, data += 32) {
    Pair first, second;
    std::memcpy(&first, data, sizeof first);
    std::memcpy(&second, data + 16, sizeof second);
    a += first & low_half;
    b += first >> 32;
    c += second & low_half;
    d += second >> 32;
  }
  a += b + c + d;
  uint64_t sum = a[0] + a[1];

  for (; length >= 4; length -= 4, data += 4) {
    uint32_t word;
    std::memcpy(&word, data, sizeof word);
    sum += word;
  }
  for (uint16_t word = 0; length > 0; word = 0) {
    const size_t size = length >= 2 ? 2 : 1;  // an odd byte is followed by a zero
    std::memcpy(&word, data, size);
    sum += word;
    data += size;
    length -= size;
  }
  return sum;
}

}  // namespace

void Checksum::add(const uint8_t* data, size_t length) noexcept {
  const uint16_t sum = fold(sum_memory(data, length));
  pieces_ += odd_ ? swapped(sum) : sum;  // RFC 1071 §2 (B): a sum of words in the other order is the swapped sum
  odd_ ^= (length & 1) != 0;
}

uint16_t Checksum::sum() const noexcept {
  const uint16_t in_memory_order = fold(pieces_);
  uint8_t bytes[2];
  std::memcpy(bytes, &in_memory_order, sizeof bytes);
  return fold(numbers_ + load_be16(bytes));
}

}  // namespace crosswire

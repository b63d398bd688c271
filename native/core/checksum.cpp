// SPDX-License-Identifier: Apache-2.0
#include "core/checksum.hpp"

#include <cstring>

#include "core/bytes.hpp"
#include "core/checksum_avx2.hpp"

namespace crosswire {
namespace {

// Two words of 64 bits in one register, which compilers map to SSE2 or NEON.
typedef uint64_t Pair __attribute__((vector_size(16)));

// Ones' complement addition: the carry out of the top is added at the bottom. Without a branch, since carries depend on
// the data.
constexpr uint16_t fold(uint64_t sum) {
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>((sum & 0xffff) + (sum >> 16));
}

uint16_t swapped(uint16_t word) { return static_cast<uint16_t>(word << 8 | word >> 8); }

template <class Word>
uint64_t load_word(const uint8_t* data) {
  Word word;
  std::memcpy(&word, data, sizeof word);
  return word;
}

// Adds 32-bit words in 64-bit lanes: the first 2^32 of them cause no carry (RFC 1071 §2, "deferred carries"), and it
// takes half the cycles of an add-with-carry chain.
uint64_t sum_blocks(const uint8_t* data, size_t length) {
  constexpr Pair low_half = {0xffffffff, 0xffffffff};
  Pair a{}, b{}, c{}, d{};
  for (; length >= checksum_block; length -= checksum_block, data += checksum_block) {
    Pair first, second;
    std::memcpy(&first, data, sizeof first);
    std::memcpy(&second, data + 16, sizeof second);
    a += first & low_half;
    b += first >> 32;
    c += second & low_half;
    d += second >> 32;
  }
  a += b + c + d;
  return a[0] + a[1];
}

uint64_t sum_memory(const uint8_t* data, size_t length) {
  const size_t tail = length % checksum_block, blocks = length - tail;
  uint64_t sum = 0;
  if (blocks >= 4 * checksum_block && has_avx2) {
    sum = sum_blocks_avx2(data, blocks);
  } else if (blocks > 0) {
    sum = sum_blocks(data, blocks);
  }
  data += blocks;
  for (size_t left = tail; left >= 4; left -= 4, data += 4) sum += load_word<uint32_t>(data);
  if ((tail & 2) != 0) {
    sum += load_word<uint16_t>(data);
    data += 2;
  }
  if ((tail & 1) == 0) return sum;
  uint16_t last = 0;  // an odd byte is followed by a zero
  std::memcpy(&last, data, 1);
  return sum + last;
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

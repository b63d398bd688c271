// SPDX-License-Identifier: Apache-2.0
#include "core/checksum_avx2.hpp"

#if defined(__x86_64__)
#include <immintrin.h>

#include <algorithm>
#endif

namespace crosswire {

#if defined(__x86_64__)
namespace {

constexpr size_t unrolled = 4 * checksum_block;

// A lane of 32 bits grows by 2^16 at most for each block.
constexpr size_t before_overflow = checksum_block << 14;

#define AVX2 __attribute__((target("avx2")))

AVX2 inline __m256i add_block(__m256i sum, const uint8_t* data) {
  const __m256i flip = _mm256_set1_epi16(INT16_MIN), one = _mm256_set1_epi16(1);
  const __m256i words = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(data));
  return _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_xor_si256(words, flip), one));
}

AVX2 inline int64_t add_lanes(__m256i lanes) {
  const __m256i wide = _mm256_add_epi64(_mm256_cvtepi32_epi64(_mm256_castsi256_si128(lanes)),
                                        _mm256_cvtepi32_epi64(_mm256_extracti128_si256(lanes, 1)));
  const __m128i two = _mm_add_epi64(_mm256_castsi256_si128(wide), _mm256_extracti128_si256(wide, 1));
  return _mm_cvtsi128_si64(two) + _mm_extract_epi64(two, 1);
}

}  // namespace

const bool has_avx2 = __builtin_cpu_supports("avx2") != 0;

// VPMADDWD adds pairs of signed words in one step. So each word is biased by −2^15 (its top bit flipped), and the total
// bias is added again at the end.
AVX2 uint64_t sum_blocks_avx2(const uint8_t* data, size_t length) noexcept {
  int64_t sum = static_cast<int64_t>(length / 2) << 15;
  while (length > 0) {
    size_t part = std::min(length, before_overflow);
    length -= part;
    __m256i a = _mm256_setzero_si256(), b = a, c = a, d = a;
    for (; part >= unrolled; part -= unrolled, data += unrolled) {
      a = add_block(a, data);
      b = add_block(b, data + checksum_block);
      c = add_block(c, data + 2 * checksum_block);
      d = add_block(d, data + 3 * checksum_block);
    }
    for (; part > 0; part -= checksum_block, data += checksum_block) a = add_block(a, data);
    sum += add_lanes(_mm256_add_epi32(_mm256_add_epi32(a, b), _mm256_add_epi32(c, d)));
  }
  return static_cast<uint64_t>(sum);
}
#else
const bool has_avx2 = false;
uint64_t sum_blocks_avx2(const uint8_t*, size_t) noexcept { return 0; }
#endif

}  // namespace crosswire

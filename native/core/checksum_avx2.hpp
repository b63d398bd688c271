// SPDX-License-Identifier: Apache-2.0
// The part of the checksum that costs: whole blocks of memory, twice as fast where the CPU has AVX2. The addon is
// compiled for any x86-64-v2, so that is found out at its start.
#pragma once

#include <cstddef>
#include <cstdint>

namespace crosswire {

inline constexpr size_t checksum_block = 32;

extern const bool has_avx2;

// The sum of the 16-bit words as they lie in memory; `length` is a multiple of a block. Only where has_avx2.
uint64_t sum_blocks_avx2(const uint8_t* data, size_t length) noexcept;

}  // namespace crosswire

// SPDX-License-Identifier: Apache-2.0
// A log-linear histogram of nanoseconds, like HdrHistogram: every power of two is divided into 64 equal buckets, so
// that a value is accurate to 1.6 %. The reader computes percentiles (bench/harness/histogram.ts).
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace crosswire::bench {

class Histogram {
 public:
  static constexpr unsigned sub_bits = 6;
  static constexpr size_t buckets =
      size_t{1} << (sub_bits + 5);  // up to 2^37 ns, two minutes; longer times go to the last bucket

  void add(uint64_t nanoseconds) noexcept { counts_[index_of(nanoseconds)]++; }
  void clear() noexcept { counts_.fill(0); }
  uint64_t count(size_t index) const noexcept { return counts_[index]; }

  static size_t index_of(uint64_t value) noexcept {
    if (value < (1U << sub_bits)) return value;
    const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - 1 - sub_bits;
    const size_t index = (static_cast<size_t>(shift) << sub_bits) + (value >> shift);
    return index < buckets ? index : buckets - 1;
  }

  static uint64_t lowest(size_t index) noexcept {
    if (index < (2U << sub_bits)) return index;
    const unsigned shift = static_cast<unsigned>(index >> sub_bits) - 1;
    return static_cast<uint64_t>(index - (static_cast<size_t>(shift) << sub_bits)) << shift;
  }

 private:
  std::array<uint64_t, buckets> counts_{};
};

}  // namespace crosswire::bench

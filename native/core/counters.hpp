// SPDX-License-Identifier: Apache-2.0
// Counters of one end of one wire. Written by one worker, read by anyone, without locks: every value is an atomic with
// a single writer, so an update is a plain add and a reader never sees a torn or decreasing value. Release and acquire
// order the values for `sequence`; on x86 they are plain moves.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "core/drop_reason.hpp"

namespace crosswire {

class Counter {
 public:
  void add(uint64_t n) noexcept { value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_release); }
  uint64_t get() const noexcept { return value_.load(std::memory_order_acquire); }

 private:
  std::atomic<uint64_t> value_{0};
};

// rx: entering the wire from this end. tx: leaving the wire to this end. Of the frames that enter at one end,
// rx_packets(this) = tx_packets(other) + Σ drops(this).
struct alignas(128) EndCounters {
  Counter rx_packets, rx_bytes, tx_packets, tx_bytes;
  std::array<Counter, drop_reason_count> drops;  // of frames that entered at this end
  // Odd while the worker books a burst that entered at this end: a reader that sees the same even value before and
  // after reading has an exact balance (engine/wire_counters.hpp).
  Counter sequence;
};

// A snapshot's row in 64-bit words: rx_packets, rx_bytes, tx_packets, tx_bytes, then drops in catalogue order.
inline constexpr size_t end_counter_words = 4 + drop_reason_count;

}  // namespace crosswire

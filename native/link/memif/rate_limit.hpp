// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/clock.hpp"

namespace crosswire::memif {

// A token bucket: a number of events per second, and after a quiet second as many at once.
class RateLimit {
 public:
  explicit RateLimit(uint32_t per_second) : interval_ns_(1'000'000'000 / per_second) {}

  bool allow() {
    const uint64_t now = now_ns();
    const uint64_t earliest = now > 1'000'000'000 ? now - 1'000'000'000 : 0;
    next_ns_ = std::max(next_ns_, earliest);
    if (next_ns_ > now) return false;
    next_ns_ += interval_ns_;
    return true;
  }
  uint64_t interval_ns() const { return interval_ns_; }

 private:
  uint64_t interval_ns_;
  uint64_t next_ns_ = 0;
};

// Waits longer after each failure, up to two seconds.
class Backoff {
 public:
  static constexpr uint64_t shortest_ns = 50'000'000;
  static constexpr uint64_t longest_ns = 2'000'000'000;

  uint64_t next_delay() {
    const uint64_t delay = delay_ns_;
    delay_ns_ = std::min(delay_ns_ * 2, longest_ns);
    return delay;
  }
  void reset() { delay_ns_ = shortest_ns; }

 private:
  uint64_t delay_ns_ = shortest_ns;
};

}  // namespace crosswire::memif

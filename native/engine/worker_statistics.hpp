// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>

#include "core/burst.hpp"
#include "core/counters.hpp"

namespace crosswire {

// A copy for readers. Time that is neither busy nor idle was spent polling without a frame.
struct WorkerStatistics {
  uint64_t busy_ns = 0;   // rounds that moved frames
  uint64_t idle_ns = 0;   // asleep in epoll_wait(2)
  uint64_t wake_ups = 0;  // returns from there
  uint64_t bursts = 0;    // that yielded frames
  uint64_t frames = 0;    // received; a super-frame is one
  uint64_t wires = 0;
  uint64_t hot_wires = 0;
  std::array<uint64_t, 9> frames_per_burst{};  // [i]: bursts of at most 2^i frames, and of more than 2^(i-1)
};

// Written by the worker, read by anyone.
class alignas(128) WorkerMeter {
 public:
  void busy(uint64_t ns) noexcept { busy_ns_.add(ns); }
  void slept(uint64_t ns) noexcept {
    idle_ns_.add(ns);
    wake_ups_.add(1);
  }
  void burst(uint32_t frames) noexcept {
    bursts_.add(1);
    frames_.add(frames);
    frames_per_burst_[static_cast<size_t>(std::bit_width(frames - 1))].add(1);
  }
  void wires(size_t all, size_t hot) noexcept {
    wires_.store(all, std::memory_order_relaxed);
    hot_wires_.store(hot, std::memory_order_relaxed);
  }

  WorkerStatistics read() const noexcept {
    WorkerStatistics copy{busy_ns_.get(), idle_ns_.get(), wake_ups_.get(),  bursts_.get(),
                          frames_.get(),  wires_.load(),  hot_wires_.load()};
    for (size_t i = 0; i < copy.frames_per_burst.size(); i++) copy.frames_per_burst[i] = frames_per_burst_[i].get();
    return copy;
  }

 private:
  static_assert(Burst::capacity == 1u << 8, "frames_per_burst has one bucket per power of two up to a full burst");
  Counter busy_ns_, idle_ns_, wake_ups_, bursts_, frames_;
  std::atomic<uint64_t> wires_{0}, hot_wires_{0};
  std::array<Counter, 9> frames_per_burst_;
};

}  // namespace crosswire

// SPDX-License-Identifier: Apache-2.0
// The published counters of a wire. A worker books whole bursts; a reader copies a balanced row without stopping it.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <span>
#include <thread>

#include "core/counters.hpp"

namespace crosswire {

inline constexpr size_t wire_counter_words = 2 * end_counter_words;

// What one burst did, counted privately and booked at once. What was received is what was delivered plus what was
// dropped: the balance holds by construction.
struct Transfer {
  uint64_t received_packets = 0, received_bytes = 0;
  uint64_t delivered_packets = 0, delivered_bytes = 0;
  uint64_t dropped_packets = 0;
  std::array<uint64_t, drop_reason_count> drops{};

  void drop(DropReason reason, uint64_t packets) {
    drops[static_cast<size_t>(reason)] += packets;
    dropped_packets += packets;
  }
};

struct WireCounters {
  std::array<EndCounters, 2> ends;  // client, endpoint

  // The wire's worker only: books a burst that entered at `end`.
  void book(size_t end, const Transfer& transfer) noexcept {
    EndCounters& entered = ends[end];
    EndCounters& left = ends[1 - end];
    entered.sequence.add(1);
    entered.rx_packets.add(transfer.received_packets);
    entered.rx_bytes.add(transfer.received_bytes);
    left.tx_packets.add(transfer.delivered_packets);
    left.tx_bytes.add(transfer.delivered_bytes);
    if (transfer.dropped_packets > 0) {
      for (size_t reason = 0; reason < drop_reason_count; reason++) entered.drops[reason].add(transfer.drops[reason]);
    }
    entered.sequence.add(1);
  }

  // By any thread. A row is client words, then endpoint words (core/counters.hpp). Each direction balances, unless
  // the worker was faster `attempts` times in a row: then the row is merely recent.
  void read(std::span<uint64_t, wire_counter_words> row) const noexcept {
    constexpr int attempts = 1000, at_once = 100;
    for (size_t end = 0; end < 2; end++) {
      for (int attempt = 0; attempt < attempts; attempt++) {
        const uint64_t before = ends[end].sequence.get();
        copy_direction(end, row);
        if (before % 2 == 0 && ends[end].sequence.get() == before) break;
        // The worker may be off its CPU in the middle of a booking, on a busy machine for some milliseconds.
        if (attempt < at_once) {
          std::this_thread::yield();
        } else {
          std::this_thread::sleep_for(std::chrono::microseconds(50));
        }
      }
    }
  }

 private:
  void copy_direction(size_t end, std::span<uint64_t, wire_counter_words> row) const noexcept {
    uint64_t* entered = row.data() + end * end_counter_words;
    uint64_t* left = row.data() + (1 - end) * end_counter_words;
    entered[0] = ends[end].rx_packets.get();
    entered[1] = ends[end].rx_bytes.get();
    left[2] = ends[1 - end].tx_packets.get();
    left[3] = ends[1 - end].tx_bytes.get();
    for (size_t reason = 0; reason < drop_reason_count; reason++) entered[4 + reason] = ends[end].drops[reason].get();
  }
};

}  // namespace crosswire

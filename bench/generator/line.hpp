// SPDX-License-Identifier: Apache-2.0
// One wire under test: sends stamped frames into one port, receives them from the other and checks each.
#pragma once

#include <rte_mbuf.h>

#include <array>
#include <cstdint>
#include <vector>

#include "command.hpp"
#include "histogram.hpp"
#include "outcome.hpp"
#include "pattern.hpp"
#include "ports.hpp"

namespace crosswire::bench {

class Line {
 public:
  Line(const PortPair& ports, uint16_t number, const Pattern& pattern, rte_mempool* pool, bool zero_copy);

  /** Sends up to `count` frames; frame n is due at `time + n * step` cycles. Returns how many the ring accepted. */
  uint16_t send(uint16_t count, const std::vector<uint32_t>& sizes, uint64_t time, double step);
  /** Prefetches the memory of the next burst, which is in the cache of the forwarder's CPU. */
  void fetch(uint16_t count);
  /** Receives up to `most` frames and prefetches them; check() must follow. */
  uint16_t take(uint16_t most);
  /** Checks and frees the received frames; adds their latencies to the histogram, if there is one. */
  void check(Histogram* latencies, double nanoseconds_per_cycle);
  uint64_t in_flight() const { return next_ - awaited_; }
  /** Counts the frames in flight as lost. */
  void give_up();
  void count_from_here() { tally = {}; }

  Tally tally;

 private:
  bool check(const rte_mbuf& buffer);
  bool prepare(uint16_t count);

  PortPair ports_;
  uint16_t number_;
  bool zero_copy_;
  const Pattern& pattern_;
  rte_mempool* pool_;
  std::array<rte_mbuf*, most_burst> ready_{};  // to be sent next
  uint16_t prepared_ = 0;
  std::array<rte_mbuf*, most_burst> taken_{};  // to be checked next
  uint16_t unchecked_ = 0;
  uint64_t next_ = 0;     // sequence number of the next frame sent
  uint64_t awaited_ = 0;  // sequence number of the next frame to arrive
};

}  // namespace crosswire::bench

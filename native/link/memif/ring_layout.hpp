// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "link/memif/ring.hpp"

namespace crosswire::memif {

// The layout of a client's memory: one region with all rings, S2M first, and then the buffers in the same order, one
// per slot (memif contract §4). Everything begins on a cache line, and buffers are an odd number of lines apart: at a
// distance of 2048 bytes, the heads of all frames would share a few sets of every cache.
class RingLayout {
 public:
  RingLayout(uint32_t s2m_rings, uint32_t m2s_rings, uint32_t slots, uint32_t buffer_size)
      : rings_(s2m_rings + m2s_rings), slots_(slots), stride_(static_cast<uint32_t>(align(buffer_size) | line)) {}

  uint32_t stride() const { return stride_; }
  uint64_t ring(uint32_t number) const { return number * align(ring_bytes(slots_)); }
  uint64_t first_buffer(uint32_t number) const { return ring(rings_) + uint64_t{number} * slots_ * stride_; }
  uint64_t total() const { return first_buffer(rings_); }

 private:
  static constexpr uint64_t line = 64;
  static constexpr uint64_t align(uint64_t bytes) { return (bytes + line - 1) & ~(line - 1); }

  uint32_t rings_;
  uint32_t slots_;
  uint32_t stride_;
};

}  // namespace crosswire::memif

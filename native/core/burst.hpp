// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/drop_reason.hpp"
#include "core/frame.hpp"

namespace crosswire {

// Size of Burst::scratch: fits into a second-level cache, and has room for a burst of 64 KiB frames from a TAP.
inline constexpr size_t scratch_bytes = 1024 * 1024;

// A worker owns one Burst and lends it to every receive(): nothing is allocated per frame or per wire.
struct Burst {
  static constexpr uint32_t capacity = 256;  // frames
  static constexpr uint32_t segment_capacity = 1024;
  static constexpr uint32_t max_more = 255;  // further segments of one frame: 64 KiB in buffers of 256 bytes

  uint32_t count = 0;
  uint32_t segment_count = 0;
  uint32_t offload_count = 0;
  std::array<Frame, capacity> frames;
  std::array<Segment, segment_capacity> segments;
  std::array<Offload, capacity> offloads;

  // Frames that arrived but could not be received, by reason. The pump counts them as received and dropped.
  std::array<uint32_t, drop_reason_count> dropped{};

  // The worker's memory (scratch_bytes long), for links whose frames have no memory of their own (read(2) of a TAP).
  // The next receive() of any link of that worker overwrites it.
  std::span<uint8_t> scratch;

  void clear() {
    count = segment_count = offload_count = 0;
    dropped.fill(0);
  }
  void drop(DropReason reason, uint32_t units = 1) { dropped[static_cast<size_t>(reason)] += units; }
  const Offload* offload_of(const Frame& frame) const {
    return frame.offload == 0 ? nullptr : &offloads[frame.offload - 1u];
  }
  std::span<const Segment> more_of(const Frame& frame) const {
    return {segments.data() + frame.first_more, frame.more};
  }
};

}  // namespace crosswire

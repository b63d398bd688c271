// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/link.hpp"
#include "engine/wire_counters.hpp"

namespace crosswire {

// One direction of a wire: frames enter at `source` and leave at `sink`.
struct Direction {
  Link& source;
  Link& sink;
  WireCounters& counters;
  size_t entered;      // index of the end that `source` is
  uint32_t max_frame;  // of the wire, in bytes; 0: whatever the links take
};

// Moves one burst. Returns false if nothing arrived. Afterwards, the burst's count is the number of frames received.
bool pump(Burst& burst, const Direction& way) noexcept;

}  // namespace crosswire

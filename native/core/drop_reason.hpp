// SPDX-License-Identifier: Apache-2.0
// The catalogue of drop reasons. The loader compares it with src/model/drop-reason.ts.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace crosswire {

enum class DropReason : uint8_t {
  tx_full,       // the receiver of the frame had no room
  too_big,       // longer than the sink can take
  too_short,     // shorter than its own header
  bad_desc,      // a memif descriptor pointed outside its region, had no length or an endless chain
  bad_index,     // a memif peer moved its ring index further than the ring is long; frames in between are skipped
  bad_checksum,  // a checksum to finish lies outside the frame
  bad_offload,   // a segmentation request that the frame's own headers contradict
  bad_payload,   // not an IPv4 or IPv6 packet on a wire of payload ip
  link_down,     // the sink has no peer, or its interface is down
  io_error,      // the kernel refused the frame for any other reason
};

inline constexpr std::array<std::string_view, 10> drop_reason_names = {
    "tx_full",      "too_big",     "too_short",   "bad_desc",  "bad_index",
    "bad_checksum", "bad_offload", "bad_payload", "link_down", "io_error",
};

inline constexpr size_t drop_reason_count = drop_reason_names.size();

constexpr std::string_view name(DropReason reason) { return drop_reason_names[static_cast<size_t>(reason)]; }

// True if the reason concerns one frame only, so that the sink may still take the frames after it.
constexpr bool concerns_one_frame(DropReason reason) {
  return reason != DropReason::tx_full && reason != DropReason::link_down;
}

}  // namespace crosswire

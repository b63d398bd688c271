// SPDX-License-Identifier: Apache-2.0
// Parses a trial: one line of standard input, like `closed size=64 window=512 seconds=1`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace crosswire::bench {

constexpr uint16_t most_burst = 256;

enum class Mode {
  closed,  // keeps a window of frames in flight on each wire: as fast as the forwarder is
  open,    // sends frames at a fixed rate, whatever comes back
  cold,    // sends one frame, waits for it, pauses, and goes to the next wire
};

struct Trial {
  Mode mode = Mode::closed;
  std::vector<uint32_t> sizes = {64};  // taken in turn
  uint32_t window = 512;               // frames in flight on each wire
  uint32_t burst = 128;                // frames sent or received at a time
  double rate = 0;                     // frames a second, over all wires
  double warm_up = 0.1;                // seconds before counting begins
  double seconds = 1;                  // of counting
  double pause = 0.005;                // seconds between two frames of mode cold
};

/** False if the line is not a valid trial; `problem` then says why. */
bool parse_trial(const std::string& line, uint32_t buffer_size, Trial& trial, std::string& problem);

}  // namespace crosswire::bench

// SPDX-License-Identifier: Apache-2.0
// One line of standard input is one trial: `closed size=64 window=512 seconds=1`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace crosswire::bench {

constexpr uint16_t most_burst = 256;

enum class Mode {
  closed,  // a window of frames in flight on each wire: as fast as the forwarder goes
  open,    // frames leave by a clock, whatever comes back
  cold,    // one frame, its arrival, a pause, and the next wire
};

struct Trial {
  Mode mode = Mode::closed;
  std::vector<uint32_t> sizes = {64};  // taken in turn
  uint32_t window = 512;               // frames in flight on each wire
  uint32_t burst = 128;                // frames that are sent or taken at a time
  double rate = 0;                     // frames a second, over all wires
  double warm_up = 0.1;                // seconds before counting begins
  double seconds = 1;                  // counted
  double pause = 0.005;                // seconds between two frames of mode cold
};

/** False, and `problem` says why, unless the line is a trial within bounds. */
bool parse_trial(const std::string& line, uint32_t buffer_size, Trial& trial, std::string& problem);

}  // namespace crosswire::bench

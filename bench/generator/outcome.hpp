// SPDX-License-Identifier: Apache-2.0
// What a trial found.
#pragma once

#include <cstdint>

namespace crosswire::bench {

struct Tally {
  uint64_t sent = 0;
  uint64_t received = 0;
  uint64_t bytes = 0;      // received
  uint64_t lost = 0;       // skipped in the sequence, or given up on
  uint64_t misplaced = 0;  // twice, late, or of another wire
  uint64_t corrupt = 0;
};

struct Outcome {
  Tally tally;           // over all wires, of the counted time
  double seconds = 0;    // that were counted
  uint64_t due = 0;      // mode open: frames that the clock asked for
  uint64_t backlog = 0;  // mode open: of those, never sent because the ring was full
  double idle = 0;       // mode closed: seconds in which the generator waited for the forwarder
  double cpu = 0;        // seconds of CPU time that the generator had: less than `seconds` if others took it away
};

}  // namespace crosswire::bench

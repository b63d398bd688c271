// SPDX-License-Identifier: Apache-2.0
// The result of a trial.
#pragma once

#include <cstdint>

namespace crosswire::bench {

struct Tally {
  uint64_t sent = 0;
  uint64_t received = 0;
  uint64_t bytes = 0;      // received
  uint64_t lost = 0;       // missing in the sequence, or not arrived in time
  uint64_t misplaced = 0;  // duplicated, late, or from another wire
  uint64_t corrupt = 0;
};

struct Outcome {
  Tally tally;           // over all wires, during the counted time
  double seconds = 0;    // of counting
  uint64_t due = 0;      // mode open: frames that were due
  uint64_t backlog = 0;  // mode open: due frames that were never sent because the ring was full
  double idle = 0;       // mode closed: seconds in which the generator waited for the forwarder
  double cpu = 0;        // CPU seconds of the generator: less than `seconds` if another process had the CPU
};

}  // namespace crosswire::bench

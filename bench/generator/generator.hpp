// SPDX-License-Identifier: Apache-2.0
// The three kinds of trial. Each is bounded by time, whatever the forwarder does.
#pragma once

#include <cstdint>
#include <vector>

#include "command.hpp"
#include "histogram.hpp"
#include "line.hpp"

namespace crosswire::bench {

struct Outcome {
  Tally tally;           // over all wires, of the counted time
  double seconds = 0;    // that were counted
  uint64_t due = 0;      // mode open: frames that the clock asked for
  uint64_t backlog = 0;  // mode open: of those, never sent because the ring was full
  double idle = 0;       // mode closed: seconds in which the generator waited for the forwarder
  double cpu = 0;        // seconds of CPU time that the generator had: less than `seconds` if others took it away
};

class Generator {
 public:
  Generator(std::vector<Line>& lines, Histogram& latencies);
  Outcome run(const Trial& trial);

 private:
  void closed(const Trial& trial, uint64_t end, Outcome* outcome);
  void open(const Trial& trial, uint64_t end, Outcome* outcome);
  void cold(const Trial& trial, uint64_t end);
  uint16_t receive(Line& line, uint32_t most);
  void settle();
  uint64_t cycles(double seconds) const;

  std::vector<Line>& lines_;
  Histogram& latencies_;
  double hertz_;
};

}  // namespace crosswire::bench

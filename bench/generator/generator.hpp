// SPDX-License-Identifier: Apache-2.0
// Runs the three kinds of trial. Each has a time limit, whatever the forwarder does.
#pragma once

#include <cstdint>
#include <vector>

#include "command.hpp"
#include "histogram.hpp"
#include "line.hpp"
#include "outcome.hpp"

namespace crosswire::bench {

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

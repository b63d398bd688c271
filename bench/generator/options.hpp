// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace crosswire::bench {

struct Attachment {
  std::string socket;
  unsigned id = 0;
};

/** One wire: frames are sent to the first memif and expected from the second. */
struct Pair {
  Attachment from;
  Attachment to;
};

struct Options {
  std::vector<Pair> pairs;
  unsigned cpu = 1;
  unsigned ring_log = 10;       // 1024 slots, DPDK's default
  unsigned buffer_size = 2048;  // of a slot; every frame must fit into one (DPDK's sender handles chains wrongly)
  bool zero_copy = false;
  bool loop = false;  // the generator connected to itself, which shows its own limit
};

/** False if the arguments are invalid; `problem` then says why. */
bool parse_options(const std::vector<std::string>& arguments, Options& options, std::string& problem);

/** Prints the message and ends the process. */
[[noreturn]] void fail(const std::string& message);

}  // namespace crosswire::bench

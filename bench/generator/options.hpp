// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace crosswire::bench {

struct Attachment {
  std::string socket;
  unsigned id = 0;
};

/** One wire: frames go in at the first and are awaited at the second. */
struct Pair {
  Attachment from;
  Attachment to;
};

struct Options {
  std::vector<Pair> pairs;
  unsigned cpu = 1;
  unsigned ring_log = 10;       // 1024 slots, DPDK's default
  unsigned buffer_size = 2048;  // of a slot; every frame must fit into one (DPDK's sender is wrong about chains)
  bool zero_copy = false;
  bool loop = false;  // the generator against itself: what it can do at most
};

/** False, and `problem` says why, unless they can be followed. */
bool parse_options(const std::vector<std::string>& arguments, Options& options, std::string& problem);

/** Ends the process. */
[[noreturn]] void fail(const std::string& message);

}  // namespace crosswire::bench

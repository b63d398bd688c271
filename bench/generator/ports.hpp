// SPDX-License-Identifier: Apache-2.0
// Starts DPDK on one CPU without huge pages, and its memif devices.
#pragma once

#include <rte_mbuf.h>

#include <cstdint>
#include <vector>

#include "options.hpp"
#include "pattern.hpp"

namespace crosswire::bench {

struct PortPair {
  uint16_t from = 0;
  uint16_t to = 0;
};

/** Starts DPDK, makes the devices, and waits until all are connected; ends the process if one is not in time. */
std::vector<PortPair> open_ports(const Options& options);

/** A pool of buffers for sending that already contain the pattern. */
rte_mempool* make_sending_pool(const Options& options, const Pattern& pattern);

}  // namespace crosswire::bench

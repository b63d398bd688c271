// SPDX-License-Identifier: Apache-2.0
// DPDK without huge pages on one CPU, and its memif devices.
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

/** Starts DPDK, makes the devices, waits until every one is connected, and ends the process if one is not in time. */
std::vector<PortPair> open_ports(const Options& options);

/** Buffers whose memory holds the pattern already, for sending. */
rte_mempool* make_sending_pool(const Options& options, const Pattern& pattern);

}  // namespace crosswire::bench

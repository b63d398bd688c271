// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "histogram.hpp"
#include "outcome.hpp"

namespace crosswire::bench {

/** One JSON object on one line: the counts, and the histogram as pairs of lowest nanosecond and count. */
std::string to_json(const Outcome& outcome, const Histogram& latencies);

std::string error_json(const std::string& problem);

}  // namespace crosswire::bench

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "core/link.hpp"
#include "engine/wire_counters.hpp"

namespace crosswire {

enum class EndName : uint8_t { client, endpoint };

// How a worker polls a wire; engine/idle_policy.hpp shows the transitions.
enum class Temperature : uint8_t { hot, cold, resting };

// A wire as its worker owns it. No other thread touches it, except through the counters.
struct Wire {
  uint64_t handle = 0;
  uint32_t max_frame = 0;
  std::array<std::unique_ptr<Link>, 2> links;
  std::shared_ptr<WireCounters> counters;

  Temperature temperature = Temperature::hot;
  uint64_t active_at = 0;      // when the last frame came, or when the wire became hot
  uint64_t cooled_at = 0;      // when it stopped being hot
  bool yielded = false;        // there were frames since it became hot
  uint32_t fruitless = 0;      // how often in a row it became hot without a frame
  uint64_t rest_ns = 0;        // length of the last rest; 0: there was none
  uint32_t rechecks_left = 0;  // early checks of a cold wire whose links may miss a wake-up

  bool may_miss_wakeups() const { return links[0]->facts().may_miss_wakeups || links[1]->facts().may_miss_wakeups; }
};

}  // namespace crosswire

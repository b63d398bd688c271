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

// How a worker looks after a wire; engine/idle_policy.hpp draws the changes.
enum class Temperature : uint8_t { hot, cold, resting };

// A wire as its worker owns it. No other thread touches it, except through the counters.
struct Wire {
  uint64_t handle = 0;
  uint32_t max_frame = 0;
  std::array<std::unique_ptr<Link>, 2> links;
  std::shared_ptr<WireCounters> counters;

  Temperature temperature = Temperature::hot;
  uint64_t active_at = 0;      // when the last frame came, or when it became hot
  uint64_t cooled_at = 0;      // when it stopped being hot
  bool yielded = false;        // frames since it became hot
  uint32_t fruitless = 0;      // how often in a row it became hot for nothing
  uint64_t rest_ns = 0;        // how long it rested last, 0: it did not
  uint32_t rechecks_left = 0;  // early looks at a cold wire whose links may miss a wake-up

  bool may_miss_wakeups() const { return links[0]->facts().may_miss_wakeups || links[1]->facts().may_miss_wakeups; }
};

}  // namespace crosswire

// SPDX-License-Identifier: Apache-2.0
// At most one deadline per wire, earliest first. Touched when a wire goes cold or wakes, never per frame.
#pragma once

#include <cstdint>
#include <limits>
#include <set>
#include <unordered_map>
#include <utility>

#include "engine/wire.hpp"

namespace crosswire {

class Deadlines {
 public:
  static constexpr uint64_t never = std::numeric_limits<uint64_t>::max();

  void set(Wire* wire, uint64_t at) {
    clear(wire);
    ordered_.insert({at, wire});
    by_wire_[wire] = at;
  }

  void clear(Wire* wire) {
    const auto known = by_wire_.find(wire);
    if (known == by_wire_.end()) return;
    ordered_.erase({known->second, wire});
    by_wire_.erase(known);
  }

  uint64_t next() const { return ordered_.empty() ? never : ordered_.begin()->first; }

  Wire* take_due(uint64_t now) {
    if (next() > now) return nullptr;
    Wire* wire = ordered_.begin()->second;
    clear(wire);
    return wire;
  }

 private:
  std::set<std::pair<uint64_t, Wire*>> ordered_;
  std::unordered_map<Wire*, uint64_t> by_wire_;
};

}  // namespace crosswire

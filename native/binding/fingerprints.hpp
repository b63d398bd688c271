// SPDX-License-Identifier: Apache-2.0
// A hash of each wire's description. A reader with thousands of wires reads only the descriptions whose hash changed.
#pragma once

#include <napi.h>

#include <cstdint>
#include <vector>

#include "engine/engine.hpp"

namespace crosswire::binding {

struct Fingerprint {
  uint64_t handle = 0;
  uint64_t value = 0;  // of both link states
};
std::vector<Fingerprint> fingerprints_of(const Engine& engine);

// { ids: Float64Array, values: BigUint64Array }
Napi::Object make_fingerprints(Napi::Env env, const std::vector<Fingerprint>& fingerprints);

}  // namespace crosswire::binding

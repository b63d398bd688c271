// SPDX-License-Identifier: Apache-2.0
// Tells which wires would be described as they were before, without making the descriptions: thousands are asked for.
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

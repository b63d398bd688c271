// SPDX-License-Identifier: Apache-2.0
// States and counters of the engine as the plain objects of src/dataplane/types.ts.
#pragma once

#include <napi.h>

#include <array>
#include <vector>

#include "engine/engine.hpp"

namespace crosswire::binding {

Napi::Object make_description(Napi::Env env, const std::array<LinkState, 2>& states);
// { ids: Float64Array, words: BigUint64Array }: two objects for any number of wires.
Napi::Object make_counters(Napi::Env env, const CounterSnapshot& snapshot);
Napi::Array make_worker_statistics(Napi::Env env, const std::vector<WorkerStatistics>& workers);

}  // namespace crosswire::binding

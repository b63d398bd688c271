// SPDX-License-Identifier: Apache-2.0
#include "binding/engine_results.hpp"

#include <algorithm>

namespace crosswire::binding {
namespace {

Napi::Object make_state(Napi::Env env, const LinkState& state) {
  auto object = Napi::Object::New(env);
  object.Set("up", state.up);
  object.Set("detail", state.detail);
  object.Set("peer", state.peer);
  object.Set("receiveRings", state.receive_rings);
  object.Set("transmitRings", state.transmit_rings);
  object.Set("ringSize", state.ring_size);
  object.Set("bufferSize", state.buffer_size);
  object.Set("sessions", static_cast<double>(state.sessions));
  object.Set("refused", static_cast<double>(state.refused));
  return object;
}

Napi::Object make_statistics_of(Napi::Env env, size_t index, const WorkerStatistics& worker) {
  auto object = Napi::Object::New(env);
  const auto set = [&](const char* name, uint64_t value) { object.Set(name, Napi::BigInt::New(env, value)); };
  object.Set("worker", static_cast<double>(index));
  set("busyNanoseconds", worker.busy_ns);
  set("idleNanoseconds", worker.idle_ns);
  set("wakeUps", worker.wake_ups);
  set("bursts", worker.bursts);
  set("frames", worker.frames);
  object.Set("wires", static_cast<double>(worker.wires));
  object.Set("hotWires", static_cast<double>(worker.hot_wires));
  auto buckets = Napi::Array::New(env, worker.frames_per_burst.size());
  for (uint32_t i = 0; i < worker.frames_per_burst.size(); i++) {
    buckets.Set(i, Napi::BigInt::New(env, worker.frames_per_burst[i]));
  }
  object.Set("framesPerBurst", buckets);
  return object;
}

}  // namespace

Napi::Object make_description(Napi::Env env, const std::array<LinkState, 2>& states) {
  auto object = Napi::Object::New(env);
  object.Set("client", make_state(env, states[0]));
  object.Set("endpoint", make_state(env, states[1]));
  return object;
}

Napi::Object make_counters(Napi::Env env, const CounterSnapshot& snapshot) {
  auto ids = Napi::Float64Array::New(env, snapshot.handles.size());
  std::ranges::transform(snapshot.handles, ids.Data(), [](uint64_t handle) { return static_cast<double>(handle); });
  auto words = Napi::BigUint64Array::New(env, snapshot.words.size());
  std::ranges::copy(snapshot.words, words.Data());
  auto object = Napi::Object::New(env);
  object.Set("ids", ids);
  object.Set("words", words);
  return object;
}

Napi::Array make_worker_statistics(Napi::Env env, const std::vector<WorkerStatistics>& workers) {
  auto array = Napi::Array::New(env, workers.size());
  for (uint32_t i = 0; i < workers.size(); i++) array.Set(i, make_statistics_of(env, i, workers[i]));
  return array;
}

}  // namespace crosswire::binding

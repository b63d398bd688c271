// SPDX-License-Identifier: Apache-2.0
#include "binding/fingerprints.hpp"

#include <functional>
#include <string>

namespace crosswire::binding {
namespace {

void mix(uint64_t& hash, uint64_t value) {
  constexpr uint64_t golden = 0x9E3779B97F4A7C15;  // 2^64 divided by the golden ratio: spreads small numbers
  hash = (hash ^ value) * golden;
  hash ^= hash >> 32;
}

void mix(uint64_t& hash, const LinkState& state) {
  mix(hash, std::hash<std::string>{}(state.detail));
  mix(hash, std::hash<std::string>{}(state.peer));
  mix(hash, uint64_t{state.receive_rings} << 32 | state.transmit_rings);
  mix(hash, uint64_t{state.ring_size} << 32 | state.buffer_size);
  mix(hash, state.sessions << 1 | (state.up ? 1 : 0));
  mix(hash, state.refused);
}

}  // namespace

std::vector<Fingerprint> fingerprints_of(const Engine& engine) {
  std::vector<Fingerprint> all;
  for (const uint64_t handle : engine.handles()) {
    const auto states = engine.describe(handle);
    if (!states) continue;  // the wire was removed meanwhile
    Fingerprint one{handle, 0};
    for (const auto& state : states.value()) mix(one.value, state);
    all.push_back(one);
  }
  return all;
}

Napi::Object make_fingerprints(Napi::Env env, const std::vector<Fingerprint>& fingerprints) {
  auto ids = Napi::Float64Array::New(env, fingerprints.size());
  auto values = Napi::BigUint64Array::New(env, fingerprints.size());
  for (size_t row = 0; row < fingerprints.size(); ++row) {
    ids[row] = static_cast<double>(fingerprints[row].handle);
    values[row] = fingerprints[row].value;
  }
  auto object = Napi::Object::New(env);
  object.Set("ids", ids);
  object.Set("values", values);
  return object;
}

}  // namespace crosswire::binding

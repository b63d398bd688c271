// SPDX-License-Identifier: Apache-2.0
// Wires, workers and counters, as control threads see them. Every method may be called from any thread; a method that
// changes a wire returns when the worker has made the change at a quiet point.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "core/link.hpp"
#include "core/result.hpp"
#include "engine/wire.hpp"
#include "engine/worker.hpp"

namespace crosswire {

struct EngineOptions {
  unsigned workers = 1;
  uint64_t spin_ns = 50'000;  // how long a wire without frames is polled before it goes cold
  std::vector<int> cpus;      // worker i is pinned to cpus[i % size]; empty: no worker is pinned
  bool busy_poll = false;     // wires never go cold
};

struct WireSpec {
  std::string id;  // for people
  Payload payload = Payload::ethernet;
  uint32_t max_frame = 0;  // bytes; 0: whatever the links take
  std::unique_ptr<Link> client;
  std::unique_ptr<Link> endpoint;  // both opened by the caller, who closes them when they come back
};

// Row i of `words` belongs to handles[i], in the order of wire_counters.hpp.
struct CounterSnapshot {
  std::vector<uint64_t> handles;
  std::vector<uint64_t> words;
};

class Engine {
 public:
  explicit Engine(const EngineOptions& options = {});
  ~Engine() { stop(); }  // remaining wires are destroyed with their links

  // Errors: ENGINE_START_FAILED, CPU_UNAVAILABLE; then no thread runs.
  Result<> start();
  void stop();  // joins the workers; wires can still be removed

  // The handle is never reused within the process. On failure the links stay in `spec`. Errors: PAYLOAD_MISMATCH.
  Result<uint64_t> add(WireSpec&& spec);

  // Frames that the old link has received are delivered first, and the counters continue. Afterwards, `link` holds the
  // old link. On failure nothing changes. Errors: WIRE_MISSING, PAYLOAD_MISMATCH.
  Result<> replace(uint64_t handle, EndName end, std::unique_ptr<Link>& link);

  // Errors: WIRE_MISSING.
  struct Removed {
    std::array<std::unique_ptr<Link>, 2> links;  // client, endpoint
    std::shared_ptr<const WireCounters> counters;
  };
  Result<Removed> remove(uint64_t handle);

  // None of these waits for a worker.
  CounterSnapshot snapshot() const;
  bool snapshot(uint64_t handle, std::span<uint64_t, wire_counter_words> row) const;
  Result<std::array<LinkState, 2>> describe(uint64_t handle) const;  // Errors: WIRE_MISSING
  std::vector<WorkerStatistics> statistics() const;
  std::vector<uint64_t> handles() const;

 private:
  struct Entry {
    std::string id;
    Payload payload;
    size_t worker;
    std::array<const Link*, 2> links;
    std::shared_ptr<WireCounters> counters;
  };

  const Entry* find(uint64_t handle) const;  // requires control_ or registry_mutex_

  std::vector<std::unique_ptr<Worker>> workers_;
  std::mutex control_;         // one change at a time; never taken by readers or workers
  std::vector<size_t> loads_;  // wires per worker

  mutable std::mutex registry_mutex_;  // readers and changes; never held while waiting for a worker
  std::map<uint64_t, Entry> registry_;
};

}  // namespace crosswire

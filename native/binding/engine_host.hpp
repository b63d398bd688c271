// SPDX-License-Identifier: Apache-2.0
// One engine and the links it was given, from start to close. Knows nothing of JavaScript.
#pragma once

#include <atomic>
#include <memory>
#include <shared_mutex>
#include <string>

#include "binding/link_factory.hpp"
#include "engine/engine.hpp"

namespace crosswire::binding {

struct WireRequest {
  std::string name;
  Payload payload = Payload::ethernet;
  LinkRequest client;
  LinkRequest endpoint;
};

class EngineHost {
 public:
  EngineHost() = default;
  EngineHost(const EngineHost&) = delete;
  EngineHost& operator=(const EngineHost&) = delete;
  ~EngineHost() { close(); }

  // On addon threads. Errors: ENGINE_STARTED, ENGINE_STOPPED, those of Engine and of open_link(). On failure nothing
  // changed and nothing stays open.
  Result<> start(const EngineOptions& options);
  Result<uint64_t> start_wire(const WireRequest& request);
  Result<> replace_end(uint64_t handle, EndName end, const LinkRequest& request);
  Result<> stop_wire(uint64_t handle);

  // Waits for the changes under way, joins the workers, closes every link. For good; idempotent; any thread.
  void close();

  // Null before start(). Stays valid as long as this object, for reading.
  const Engine* engine() const noexcept { return published_.load(std::memory_order_acquire); }

 private:
  Result<> check_running(const char* operation, const std::string& subject) const;

  std::shared_mutex changes_;  // shared: a change of wires; exclusive: start and close
  bool closed_ = false;
  memif::Service service_;  // outlives the engine and its links
  std::unique_ptr<Engine> engine_;
  std::atomic<const Engine*> published_{nullptr};
};

}  // namespace crosswire::binding

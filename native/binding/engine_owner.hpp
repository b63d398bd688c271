// SPDX-License-Identifier: Apache-2.0
// Owns one engine with its links and memif service, from start to close. Independent of JavaScript.
#pragma once

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>

#include "binding/link_factory.hpp"
#include "engine/engine.hpp"
#include "os/fd.hpp"
#include "os/namespaces.hpp"

namespace crosswire::binding {

struct WireRequest {
  std::string name;
  Payload payload = Payload::ethernet;
  LinkRequest client;
  LinkRequest endpoint;
};

class EngineOwner {
 public:
  EngineOwner() = default;
  EngineOwner(const EngineOwner&) = delete;
  EngineOwner& operator=(const EngineOwner&) = delete;
  ~EngineOwner() { close(); }

  // On addon threads. Errors: ENGINE_STARTED, ENGINE_STOPPED, those of Engine and of open_link(). On failure nothing
  // changes and nothing stays open.
  Result<> start(const EngineOptions& options);
  Result<uint64_t> start_wire(const WireRequest& request);
  Result<> replace_end(uint64_t handle, EndName end, const LinkRequest& request);
  Result<> stop_wire(uint64_t handle);
  // A wire between two memif applications that share their memory, without a worker. Its handle differs from all
  // handles of the engine.
  Result<uint64_t> start_proxy(const memif::ProxyOptions& options);

  // The namespace for the engine's own interfaces: created by the first call, released by close(). Errors:
  // ENGINE_STOPPED, those of os::make_namespace().
  Result<os::NamespaceEntry> own_namespace();

  // Any thread. Errors: ENGINE_STOPPED, WIRE_MISSING.
  Result<std::array<LinkState, 2>> describe(uint64_t handle) const;

  // Waits for changes in progress, joins the workers, closes every link. Final; idempotent; any thread.
  void close();

  // Null before start(). Stays valid as long as this object, for reading.
  const Engine* engine() const noexcept { return published_.load(std::memory_order_acquire); }

 private:
  // Engines count handles from 1. The handle of a proxy, too, must be a safe integer of JavaScript.
  static constexpr uint64_t first_proxy = uint64_t{1} << 52;
  Result<> stop_proxy(uint64_t handle);

  Result<> check_running(const char* operation, const std::string& subject) const;

  std::shared_mutex changes_;  // shared: a change of wires; exclusive: start and close
  bool closed_ = false;
  memif::Service service_;  // outlives the engine and its links
  std::unique_ptr<Engine> engine_;
  std::atomic<const Engine*> published_{nullptr};

  std::mutex namespace_mutex_;
  os::Fd namespace_;  // guarded by namespace_mutex_

  mutable std::mutex proxies_mutex_;
  uint64_t next_proxy_ = first_proxy;                          // guarded by proxies_mutex_
  std::map<uint64_t, std::unique_ptr<memif::Proxy>> proxies_;  // likewise
};

}  // namespace crosswire::binding

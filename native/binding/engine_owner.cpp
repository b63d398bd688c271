// SPDX-License-Identifier: Apache-2.0
#include "binding/engine_owner.hpp"

#include <mutex>

namespace crosswire::binding {

Result<> EngineOwner::check_running(const char* operation, const std::string& subject) const {
  if (engine_ != nullptr && !closed_) return Done{};
  const char* reason = closed_ ? "the data plane is closed" : "the data plane is not started";
  return Error{"ENGINE_STOPPED", operation, subject, reason};
}

Result<> EngineOwner::start(const EngineOptions& options) {
  const std::unique_lock lock(changes_);
  if (closed_) return check_running("start the engine", "");
  if (engine_ != nullptr) return Error{"ENGINE_STARTED", "start the engine", "", "it is started already"};
  auto engine = std::make_unique<Engine>(options);
  if (auto started = engine->start(); !started) return started;
  engine_ = std::move(engine);
  published_.store(engine_.get(), std::memory_order_release);
  return Done{};
}

Result<uint64_t> EngineOwner::start_wire(const WireRequest& request) {
  const std::shared_lock lock(changes_);
  if (auto running = check_running("start a wire", request.name); !running) return std::move(running).error();
  auto client = open_link(request.client, service_);
  if (!client) return std::move(client).error();
  auto endpoint = open_link(request.endpoint, service_);
  if (!endpoint) {
    client.value()->close();
    return std::move(endpoint).error();
  }
  WireSpec spec{request.name, request.payload, 0, std::move(client).value(), std::move(endpoint).value()};
  auto added = engine_->add(std::move(spec));
  if (!added) {
    spec.client->close();
    spec.endpoint->close();
  }
  return added;
}

Result<> EngineOwner::replace_end(uint64_t handle, EndName end, const LinkRequest& request) {
  const std::shared_lock lock(changes_);
  if (auto running = check_running("replace an end of a wire", std::to_string(handle)); !running) return running;
  auto link = open_link(request, service_);
  if (!link) return std::move(link).error();
  auto replaced = engine_->replace(handle, end, link.value());
  link.value()->close();  // the old link or, after a failure, the new one
  return replaced;
}

Result<uint64_t> EngineOwner::start_proxy(const memif::ProxyOptions& options) {
  const std::shared_lock lock(changes_);
  if (auto running = check_running("start a wire", options.listen.socket); !running) return std::move(running).error();
  auto proxy = std::make_unique<memif::Proxy>(options);
  if (auto opened = service_.open(*proxy); !opened) return std::move(opened).error();
  const std::lock_guard proxies(proxies_mutex_);
  const uint64_t handle = next_proxy_++;
  proxies_.emplace(handle, std::move(proxy));
  return handle;
}

Result<> EngineOwner::stop_proxy(uint64_t handle) {
  std::unique_ptr<memif::Proxy> proxy;
  {
    const std::lock_guard proxies(proxies_mutex_);
    auto found = proxies_.extract(handle);
    if (found.empty()) return Error{"WIRE_MISSING", "stop a wire", std::to_string(handle), "there is none of that id"};
    proxy = std::move(found.mapped());
  }
  service_.close(*proxy);
  return Done{};
}

Result<os::NamespaceEntry> EngineOwner::own_namespace() {
  const std::shared_lock lock(changes_);
  if (auto running = check_running("make the engine's namespace", ""); !running) return std::move(running).error();
  const std::lock_guard once(namespace_mutex_);
  if (!namespace_) {
    auto made = os::make_namespace();
    if (!made) return std::move(made).error();
    namespace_ = std::move(made).value();
  }
  const std::string path = os::descriptor_path(namespace_);
  auto identity = os::identify_namespace(path);
  if (!identity) return std::move(identity).error();
  return os::NamespaceEntry{path, identity.value()};
}

Result<std::array<LinkState, 2>> EngineOwner::describe(uint64_t handle) const {
  if (handle >= first_proxy) {
    const std::lock_guard proxies(proxies_mutex_);
    const auto found = proxies_.find(handle);
    if (found != proxies_.end()) return found->second->state();
    return Error{"WIRE_MISSING", "describe a wire", std::to_string(handle), "there is none of that id"};
  }
  const Engine* engine = this->engine();
  if (engine != nullptr) return engine->describe(handle);
  return Error{"ENGINE_STOPPED", "describe a wire", std::to_string(handle), "the data plane is not started"};
}

Result<> EngineOwner::stop_wire(uint64_t handle) {
  const std::shared_lock lock(changes_);
  if (auto running = check_running("stop a wire", std::to_string(handle)); !running) return running;
  if (handle >= first_proxy) return stop_proxy(handle);
  auto removed = engine_->remove(handle);
  if (!removed) return std::move(removed).error();
  for (auto& link : removed.value().links) link->close();
  return Done{};
}

void EngineOwner::close() {
  const std::unique_lock lock(changes_);
  closed_ = true;
  if (engine_ == nullptr) return;
  for (const std::lock_guard proxies(proxies_mutex_); auto& [handle, proxy] : proxies_) service_.close(*proxy);
  engine_->stop();
  for (const uint64_t handle : engine_->handles()) {
    auto removed = engine_->remove(handle);
    if (!removed) continue;
    for (auto& link : removed.value().links) link->close();
  }
  namespace_.reset();
}

}  // namespace crosswire::binding

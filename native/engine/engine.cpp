// SPDX-License-Identifier: Apache-2.0
#include "engine/engine.hpp"

#include <algorithm>
#include <atomic>

namespace crosswire {
namespace {

std::atomic<uint64_t> last_handle{0};  // shared by all engines: a late report never refers to another wire

const char* text(Payload payload) { return payload == Payload::ethernet ? "ethernet" : "ip"; }

Result<> check_payload(const Link& link, Payload payload, const std::string& id) {
  if (link.facts().payload == payload) return Done{};
  const std::string reason = "the link " + link.facts().name + " carries " + text(link.facts().payload) +
                             ", the wire carries " + text(payload);
  return Error{"PAYLOAD_MISMATCH", "attach a link to a wire", id, reason};
}

Error unknown(const char* operation, uint64_t handle) {
  return Error{"WIRE_MISSING", operation, std::to_string(handle), "the engine has no such wire"};
}

}  // namespace

Engine::Engine(const EngineOptions& options) {
  for (unsigned i = 0; i < std::max(options.workers, 1u); i++) {
    const int cpu = options.cpus.empty() ? -1 : options.cpus[i % options.cpus.size()];
    workers_.push_back(std::make_unique<Worker>(Worker::Options{i, options.spin_ns, options.busy_poll, cpu}));
    loads_.push_back(0);
  }
}

Result<> Engine::start() {
  const std::lock_guard control(control_);
  for (auto& worker : workers_) {
    auto started = worker->start();
    if (started) continue;
    for (auto& other : workers_) other->stop();
    return started;
  }
  return Done{};
}

void Engine::stop() {
  const std::lock_guard control(control_);
  for (auto& worker : workers_) worker->stop();
}

Result<uint64_t> Engine::add(WireSpec&& spec) {
  const std::lock_guard control(control_);
  for (const auto* link : {&spec.client, &spec.endpoint}) {
    if (auto matches = check_payload(**link, spec.payload, spec.id); !matches) return matches.error();
  }
  auto wire = std::make_unique<Wire>();
  wire->handle = ++last_handle;
  wire->max_frame = spec.max_frame;
  wire->links = {std::move(spec.client), std::move(spec.endpoint)};
  wire->counters = std::make_shared<WireCounters>();

  const uint64_t handle = wire->handle;
  const auto least = static_cast<size_t>(std::ranges::min_element(loads_) - loads_.begin());
  Entry entry{spec.id, spec.payload, least, {wire->links[0].get(), wire->links[1].get()}, wire->counters};
  workers_[least]->add(std::move(wire));
  loads_[least]++;
  const std::lock_guard registry(registry_mutex_);
  registry_.emplace(handle, std::move(entry));
  return handle;
}

Result<> Engine::replace(uint64_t handle, EndName end, std::unique_ptr<Link>& link) {
  const std::lock_guard control(control_);
  const Entry* entry = find(handle);
  if (entry == nullptr) return unknown("replace an end of a wire", handle);
  if (auto matches = check_payload(*link, entry->payload, entry->id); !matches) return matches;

  const Link* const replacement = link.get();
  workers_[entry->worker]->replace(handle, end, link);
  const std::lock_guard registry(registry_mutex_);
  registry_.at(handle).links[static_cast<size_t>(end)] = replacement;
  return Done{};
}

Result<Engine::Removed> Engine::remove(uint64_t handle) {
  const std::lock_guard control(control_);
  const Entry* entry = find(handle);
  if (entry == nullptr) return unknown("remove a wire", handle);
  const size_t worker = entry->worker;
  {
    const std::lock_guard registry(registry_mutex_);
    registry_.erase(handle);
  }
  auto wire = workers_[worker]->remove(handle);
  loads_[worker]--;
  return Removed{std::move(wire->links), std::move(wire->counters)};
}

CounterSnapshot Engine::snapshot() const {
  const std::lock_guard registry(registry_mutex_);
  CounterSnapshot all;
  all.handles.reserve(registry_.size());
  all.words.resize(registry_.size() * wire_counter_words);
  for (const auto& [handle, entry] : registry_) {
    uint64_t* row = all.words.data() + all.handles.size() * wire_counter_words;
    entry.counters->read(std::span<uint64_t, wire_counter_words>(row, wire_counter_words));
    all.handles.push_back(handle);
  }
  return all;
}

bool Engine::snapshot(uint64_t handle, std::span<uint64_t, wire_counter_words> row) const {
  const std::lock_guard registry(registry_mutex_);
  const Entry* entry = find(handle);
  if (entry != nullptr) entry->counters->read(row);
  return entry != nullptr;
}

Result<std::array<LinkState, 2>> Engine::describe(uint64_t handle) const {
  const std::lock_guard registry(registry_mutex_);
  const Entry* entry = find(handle);
  if (entry == nullptr) return unknown("describe a wire", handle);
  return std::array{entry->links[0]->state(), entry->links[1]->state()};
}

std::vector<WorkerStatistics> Engine::statistics() const {
  std::vector<WorkerStatistics> all;
  for (const auto& worker : workers_) all.push_back(worker->statistics());
  return all;
}

std::vector<uint64_t> Engine::handles() const {
  const std::lock_guard registry(registry_mutex_);
  std::vector<uint64_t> all;
  for (const auto& [handle, entry] : registry_) all.push_back(handle);
  return all;
}

const Engine::Entry* Engine::find(uint64_t handle) const {
  const auto found = registry_.find(handle);
  return found == registry_.end() ? nullptr : &found->second;
}

}  // namespace crosswire

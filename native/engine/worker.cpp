// SPDX-License-Identifier: Apache-2.0
#include "engine/worker.hpp"

#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>

#include "core/clock.hpp"
#include "engine/pump.hpp"

namespace crosswire {
namespace {

// How often the worker checks sleeping wires while others are hot. One epoll_wait(2) costs about 0.3 µs.
constexpr uint64_t look_interval_ns = 50'000;

// When a link is replaced, the frames that it still holds are delivered first: at most this many bursts, since its peer
// may keep sending.
constexpr int drain_bursts = 64;

// A worker blocks signals, which are for Node's threads, except those that a fault raises: a blocked one kills the
// process (signal(7)), and memif handles SIGBUS.
sigset_t signals_of_a_worker() {
  sigset_t signals;
  sigfillset(&signals);
  for (const int fault : {SIGBUS, SIGSEGV, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS}) sigdelset(&signals, fault);
  return signals;
}

}  // namespace

Worker::Worker(const Options& options)
    : options_(options),
      idle_(options.spin_ns, options.busy_poll),
      scratch_(new uint8_t[scratch_bytes]),
      burst_(std::make_unique<Burst>()) {
  burst_->scratch = {scratch_.get(), scratch_bytes};
}

Result<> Worker::start() {
  if (auto opened = mailbox_.open(); !opened) return opened;
  auto spawned = idle_.open(mailbox_.wake_fd());
  if (spawned) spawned = spawn();
  if (!spawned) mailbox_.shut();
  return spawned;
}

Result<> Worker::spawn() {
  const std::string name = "cw-worker-" + std::to_string(options_.index);
  sigset_t previous;
  const sigset_t blocked = signals_of_a_worker();
  pthread_sigmask(SIG_SETMASK, &blocked, &previous);  // a new thread inherits the mask
  int error = 0;
  try {
    thread_ = std::thread([this] { run(); });
  } catch (const std::system_error& failure) {
    error = failure.code().value();
  }
  pthread_sigmask(SIG_SETMASK, &previous, nullptr);
  if (error != 0) return Error{"ENGINE_START_FAILED", "start a worker thread", name, std::strerror(error), error};
  pthread_setname_np(thread_.native_handle(), name.c_str());
  if (options_.cpu < 0) return Done{};

  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  CPU_SET(static_cast<unsigned>(options_.cpu), &cpus);
  error = pthread_setaffinity_np(thread_.native_handle(), sizeof cpus, &cpus);
  if (error == 0) return Done{};
  stop();
  const std::string subject = name + ", CPU " + std::to_string(options_.cpu);
  // EINVAL of sched_setaffinity(2): no CPU of the mask exists and is in the process's cpuset.
  if (error == EINVAL) {
    const char* reason = "the CPU is not online, or not in the cpuset of the process";
    return Error{"CPU_UNAVAILABLE", "pin a worker thread", subject, reason, error};
  }
  return Error{"ENGINE_START_FAILED", "pin a worker thread", subject, std::strerror(error), error};
}

void Worker::stop() {
  if (!thread_.joinable()) return;
  mailbox_.call([this] { stopping_ = true; });
  thread_.join();
}

void Worker::run() {
  uint64_t now = now_ns();
  uint64_t looked_at = now;
  while (true) {
    mailbox_.serve();
    if (stopping_) break;
    idle_.run_deadlines(now);
    meter_.wires(idle_.size(), idle_.hot().size());
    if (idle_.hot().empty()) {
      sleep(now);
      looked_at = now = now_ns();
      continue;
    }
    const bool moved = round(now);
    const uint64_t before = now;
    now = now_ns();
    if (moved) meter_.busy(now - before);
    if (idle_.hot().size() < idle_.size() && now - looked_at >= look_interval_ns) {
      idle_.wait(now, false);
      looked_at = now;
    }
  }
  mailbox_.shut();
}

// One burst per end of every hot wire: no wire waits for another's second burst.
bool Worker::round(uint64_t now) noexcept {
  bool moved = false;
  for (size_t i = 0; i < idle_.hot().size();) {
    Wire& wire = *idle_.hot()[i];
    const bool from_client = forward(wire, 0);
    const bool from_endpoint = forward(wire, 1);
    if (from_client || from_endpoint) {
      wire.active_at = now;
      wire.yielded = moved = true;
      i++;
    } else if (!idle_.settle(i, now)) {
      i++;
    }
  }
  return moved;
}

bool Worker::forward(Wire& wire, size_t entered) noexcept {
  const Direction way{*wire.links[entered], *wire.links[1 - entered], *wire.counters, entered, wire.max_frame};
  if (!pump(*burst_, way)) return false;
  if (burst_->count > 0) meter_.burst(burst_->count);
  return true;
}

void Worker::drain(Wire& wire, size_t entered) noexcept {
  for (int i = 0; i < drain_bursts && forward(wire, entered); i++) continue;
}

// A post between the check of the mailbox and the sleep is not missed: it makes the wake fd readable first.
void Worker::sleep(uint64_t now) {
  if (idle_.wait(now, true)) mailbox_.drain();
  meter_.slept(now_ns() - now);
}

Wire* Worker::find(uint64_t handle) const {
  const auto found = wires_.find(handle);
  return found == wires_.end() ? nullptr : found->second.get();
}

void Worker::add(std::unique_ptr<Wire> wire) {
  mailbox_.call([&] {
    idle_.add(*wire, now_ns());
    wires_[wire->handle] = std::move(wire);
  });
}

bool Worker::replace(uint64_t handle, EndName end, std::unique_ptr<Link>& link) {
  bool done = false;
  mailbox_.call([&] {
    Wire* wire = find(handle);
    if (wire == nullptr) return;
    idle_.remove(*wire);
    const auto entered = static_cast<size_t>(end);
    drain(*wire, entered);
    std::swap(wire->links[entered], link);
    idle_.add(*wire, now_ns());
    done = true;
  });
  return done;
}

std::unique_ptr<Wire> Worker::remove(uint64_t handle) {
  std::unique_ptr<Wire> wire;
  mailbox_.call([&] {
    if (find(handle) == nullptr) return;
    wire = std::move(wires_.extract(handle).mapped());
    idle_.remove(*wire);
  });
  return wire;
}

}  // namespace crosswire

// SPDX-License-Identifier: Apache-2.0
#include "engine/idle_policy.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "core/clock.hpp"

namespace crosswire {
namespace {

constexpr uint64_t millisecond = 1'000'000;
constexpr uint64_t second = 1000 * millisecond;
constexpr std::array<uint64_t, 2> recheck_after = {98 * millisecond, 2 * millisecond};  // by rechecks left, less one
constexpr uint64_t sweep_interval = second;
constexpr size_t sweep_chunk = 64;  // wires per round while some wire is hot, so that it does not wait for a sweep
constexpr uint32_t fruitless_limit = 8;
constexpr uint64_t shortest_rest = millisecond;
constexpr uint64_t longest_rest = second;
constexpr uint64_t no_handle = 0;  // marks the wake fd; handles begin at 1

bool arm(Wire& wire) noexcept {
  const bool client_waits = wire.links[0]->arm();
  const bool endpoint_waits = wire.links[1]->arm();
  return client_waits || endpoint_waits;
}

// Readable, or in a state that epoll would report again and again (EPOLLERR, EPOLLHUP).
bool is_reported(const Wire& wire) noexcept {
  std::array<pollfd, 2> fds = {pollfd{wire.links[0]->poll_fd(), POLLIN, 0},
                               pollfd{wire.links[1]->poll_fd(), POLLIN, 0}};
  return ::poll(fds.data(), fds.size(), 0) > 0;
}

}  // namespace

IdlePolicy::~IdlePolicy() {
  if (epoll_fd_ >= 0) ::close(epoll_fd_);
}

Result<> IdlePolicy::open(int wake_fd) {
  if (epoll_fd_ >= 0) return Done{};
  epoll_fd_ = ::epoll_create1(EPOLL_CLOEXEC);
  epoll_event event{EPOLLIN, {}};
  event.data.u64 = no_handle;
  if (epoll_fd_ < 0 || ::epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, wake_fd, &event) < 0) {
    const int error = errno;
    return Error{"ENGINE_START_FAILED", "create the worker's epoll", "", std::strerror(error), error};
  }
  return Done{};
}

void IdlePolicy::add(Wire& wire, uint64_t now) {
  wires_[wire.handle] = &wire;
  if (wire.may_miss_wakeups()) swept_.push_back(&wire);
  wire.temperature = Temperature::hot;
  wire.active_at = wire.cooled_at = now;
  wire.yielded = false;
  wire.fruitless = 0;
  wire.rest_ns = 0;
  hot_.push_back(&wire);
}

void IdlePolicy::remove(Wire& wire) {
  for (auto& link : wire.links) {
    ::epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, link->poll_fd(), nullptr);  // ENOENT if it was never cold
    link->disarm();
  }
  deadlines_.clear(&wire);
  std::erase(hot_, &wire);
  std::erase(swept_, &wire);
  wires_.erase(wire.handle);
}

bool IdlePolicy::settle(size_t index, uint64_t now) {
  Wire& wire = *hot_[index];
  const uint64_t patience = wire.fruitless < fruitless_limit ? spin_ns_ : 0;
  if (busy_poll_ || now < wire.active_at + patience) return false;
  if (!cool(wire, now)) return false;
  hot_[index] = hot_.back();
  hot_.pop_back();
  return true;
}

bool IdlePolicy::cool(Wire& wire, uint64_t now) {
  wire.fruitless = wire.yielded ? 0 : wire.fruitless + 1;
  if (wire.yielded) wire.rest_ns = 0;
  wire.yielded = false;
  wire.active_at = wire.cooled_at = now;

  const bool frames_wait = arm(wire);
  if (wire.fruitless >= fruitless_limit && (wire.rest_ns == 0 || frames_wait || is_reported(wire))) {
    rest(wire, now);
    return true;
  }
  if (frames_wait) {
    for (auto& link : wire.links) link->disarm();
    return false;
  }
  if (!listen(wire)) {
    rest(wire, now);
    return true;
  }
  wire.rest_ns = 0;
  wire.temperature = Temperature::cold;
  if (wire.may_miss_wakeups()) {
    wire.rechecks_left = recheck_after.size();
    deadlines_.set(&wire, now + recheck_after[wire.rechecks_left - 1]);
  }
  return true;
}

void IdlePolicy::rest(Wire& wire, uint64_t now) {
  for (auto& link : wire.links) link->disarm();
  wire.rest_ns = std::clamp(2 * wire.rest_ns, shortest_rest, longest_rest);
  wire.temperature = Temperature::resting;
  deadlines_.set(&wire, now + wire.rest_ns);
}

void IdlePolicy::warm(Wire& wire, uint64_t now) {
  if (wire.temperature == Temperature::cold && now > wire.cooled_at + second) wire.fruitless = 0;
  for (auto& link : wire.links) link->disarm();
  deadlines_.clear(&wire);
  wire.temperature = Temperature::hot;
  wire.active_at = now;
  hot_.push_back(&wire);
}

// One-shot: a wire is reported once and then polled, so a hot wire costs no epoll_ctl(2) and no reports.
bool IdlePolicy::listen(const Wire& wire) noexcept {
  for (const auto& link : wire.links) {
    epoll_event event{EPOLLIN | EPOLLONESHOT, {}};
    event.data.u64 = wire.handle;
    const int fd = link->poll_fd();
    if (::epoll_ctl(epoll_fd_, EPOLL_CTL_MOD, fd, &event) == 0) continue;
    if (errno != ENOENT || ::epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) < 0) return false;
  }
  return true;
}

void IdlePolicy::run_deadlines(uint64_t now) {
  while (Wire* wire = deadlines_.take_due(now)) {
    if (wire->temperature == Temperature::resting) warm(*wire, now);
    if (wire->temperature == Temperature::cold) look_again(*wire, now);
  }
  sweep(now);
}

void IdlePolicy::look_again(Wire& wire, uint64_t now) {
  if (arm(wire)) {
    warm(wire, now);
  } else if (wire.rechecks_left > 0 && --wire.rechecks_left > 0) {
    deadlines_.set(&wire, now + recheck_after[wire.rechecks_left - 1]);
  }
}

void IdlePolicy::sweep(uint64_t now) {
  if (sweep_next_ >= swept_.size() && now >= sweep_at_) {
    sweep_next_ = 0;
    sweep_at_ = now + sweep_interval;
  }
  const size_t end = hot_.empty() ? swept_.size() : std::min(swept_.size(), sweep_next_ + sweep_chunk);
  for (; sweep_next_ < end; sweep_next_++) {
    Wire& wire = *swept_[sweep_next_];
    if (wire.temperature == Temperature::cold && arm(wire)) warm(wire, now);
  }
}

int IdlePolicy::timeout_ms(uint64_t now) const {
  uint64_t next = deadlines_.next();
  if (!swept_.empty()) next = std::min(next, sweep_at_);
  if (next == Deadlines::never) return -1;
  return next <= now ? 0 : static_cast<int>(std::min((next - now + millisecond - 1) / millisecond, uint64_t{60'000}));
}

bool IdlePolicy::wait(uint64_t now, bool may_sleep) {
  std::array<epoll_event, 64> events;
  const int count =
      ::epoll_wait(epoll_fd_, events.data(), static_cast<int>(events.size()), may_sleep ? timeout_ms(now) : 0);
  if (may_sleep) now = now_ns();
  bool woken = false;
  for (int i = 0; i < count; i++) {
    const uint64_t handle = events[i].data.u64;  // copied: epoll_event is packed, so its member may not be aligned
    const auto wire = wires_.find(handle);
    if (handle == no_handle) woken = true;
    // A resting wire waits for its deadline whatever its fds say; a hot one is polled anyway.
    if (wire != wires_.end() && wire->second->temperature == Temperature::cold) warm(*wire->second, now);
  }
  return woken;
}

}  // namespace crosswire

// SPDX-License-Identifier: Apache-2.0
#include "link/memif/doorbell.hpp"

#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "core/clock.hpp"
#include "os/error.hpp"

namespace crosswire::memif {
namespace {

constexpr long hang_ns = 20'000'000;     // an eventfd write takes microseconds or forever
constexpr uint64_t spacing_ns = 10'000;  // between two writes of one doorbell, whatever its peer does with MASK_INT

int interrupt_signal() { return SIGRTMIN + 1; }

void install_interrupt() {
  struct sigaction action {};
  action.sa_handler = [](int) {};  // exists to interrupt: without SA_RESTART, write(2) returns EINTR
  ::sigaction(interrupt_signal(), &action, nullptr);
}

// Signals this thread every hang_ns while armed. It repeats, since a single signal could come just before the write.
class HangTimer {
 public:
  HangTimer() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, interrupt_signal());
    ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
    sigevent event{};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = interrupt_signal();
    event._sigev_un._tid = static_cast<pid_t>(::syscall(SYS_gettid));  // timer_create(2)
    armed_ = ::timer_create(CLOCK_MONOTONIC, &event, &timer_) == 0;
  }
  ~HangTimer() {
    if (armed_) ::timer_delete(timer_);
  }
  bool usable() const { return armed_; }
  void set(long interval_ns) {
    const timespec interval{0, interval_ns};
    const itimerspec spec{interval, interval};
    ::timer_settime(timer_, 0, &spec, nullptr);
  }

 private:
  timer_t timer_{};
  bool armed_ = false;
};

// EAGAIN means a full counter, which wakes the peer just as well. EINTR comes from the timer: the write was hanging.
void write_event(Doorbell& bell) {
  const uint64_t one = 1;
  if (::write(bell.event.get(), &one, sizeof one) < 0 && errno == EINTR) {
    bell.broken.store(true, std::memory_order_relaxed);
  }
}

}  // namespace

Result<> Notifier::start() {
  install_interrupt();
  stopping_.store(false);
  try {
    thread_ = std::thread([this] { run(); });
  } catch (const std::exception& error) {
    return Error{"THREAD_FAILED", "start memif notifier", "", error.what(), EAGAIN};
  }
  return Done{};
}

void Notifier::stop() noexcept {
  if (!thread_.joinable()) return;
  stopping_.store(true);
  work_.store(1);
  work_.notify_one();
  thread_.join();
  for (Doorbell* bell = stack_.exchange(nullptr); bell != nullptr;) {
    DoorbellHandle::drop(*std::exchange(bell, bell->next));
  }
}

void Notifier::ring(Doorbell& bell) noexcept {
  if (bell.pending.exchange(true, std::memory_order_acq_rel)) return;
  bell.holders.fetch_add(1, std::memory_order_relaxed);
  bell.next = stack_.load(std::memory_order_relaxed);
  while (!stack_.compare_exchange_weak(bell.next, &bell, std::memory_order_release, std::memory_order_relaxed)) {
  }
  if (work_.exchange(1, std::memory_order_acq_rel) == 0) work_.notify_one();
}

// Returns the doorbells that are not due yet.
Doorbell* Notifier::ring_all(Doorbell* bells) {
  Doorbell* later = nullptr;
  while (bells != nullptr) {
    Doorbell* bell = std::exchange(bells, bells->next);
    const uint64_t now = now_ns();
    if (now < bell->not_before) {
      bell->next = later;
      later = bell;
      continue;
    }
    bell->not_before = now + spacing_ns;
    // Frames published from here on request another write.
    bell->pending.exchange(false, std::memory_order_acq_rel);
    if (!bell->broken.load(std::memory_order_relaxed)) write_event(*bell);
    DoorbellHandle::drop(*bell);
  }
  return later;
}

void Notifier::run() {
  HangTimer timer;
  if (!timer.usable()) return;  // without the timer, doorbells stay silent, and peers rely on their own timers
  timer.set(hang_ns);
  Doorbell* later = nullptr;
  while (!stopping_.load()) {
    if (later == nullptr && stack_.load(std::memory_order_relaxed) == nullptr) {
      timer.set(0);
      work_.wait(0);
      timer.set(hang_ns);
    }
    work_.exchange(0, std::memory_order_acq_rel);
    Doorbell* fresh = stack_.exchange(nullptr, std::memory_order_acquire);
    later = ring_all(later);
    if (Doorbell* more = ring_all(fresh); more != nullptr) {
      Doorbell** end = &more->next;
      while (*end != nullptr) end = &(*end)->next;
      *end = std::exchange(later, more);
    }
    if (later != nullptr) std::this_thread::sleep_for(std::chrono::nanoseconds(spacing_ns));
  }
  while (later != nullptr) DoorbellHandle::drop(*std::exchange(later, later->next));
}

}  // namespace crosswire::memif

// SPDX-License-Identifier: Apache-2.0
// Wakes a peer that sleeps on a ring's eventfd, without ever making a worker wait.
//
// The peer holds the same open file description: it can clear O_NONBLOCK, fill the counter, and our write(2) then
// blocks forever (memif contract §7.1). So the writes happen on a thread of their own, under a timer whose signal
// interrupts a write that hangs; its doorbell is broken from then on.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <utility>

#include "core/result.hpp"
#include "os/fd.hpp"

namespace crosswire::memif {

struct Doorbell {
  explicit Doorbell(os::Fd fd) noexcept : event(std::move(fd)) {}

  const os::Fd event;
  std::atomic<bool> pending{false};  // queued at the notifier: one write serves all frames until then
  std::atomic<bool> broken{false};   // a write hung: the peer is hostile
  std::atomic<int> holders{1};
  Doorbell* next = nullptr;  // in the notifier's stack
  uint64_t not_before = 0;   // notifier only: see spacing_ns
};

// Shares a doorbell between a session and the notifier: the session may end while a write hangs.
class DoorbellHandle {
 public:
  DoorbellHandle() noexcept = default;
  explicit DoorbellHandle(os::Fd fd) : bell_(new Doorbell(std::move(fd))) {}
  DoorbellHandle(DoorbellHandle&& other) noexcept : bell_(std::exchange(other.bell_, nullptr)) {}
  DoorbellHandle& operator=(DoorbellHandle&& other) noexcept {
    std::swap(bell_, other.bell_);
    return *this;
  }
  ~DoorbellHandle() {
    if (bell_ != nullptr) drop(*bell_);
  }

  Doorbell* get() const noexcept { return bell_; }

  static void drop(Doorbell& bell) {
    if (bell.holders.fetch_sub(1, std::memory_order_acq_rel) == 1) delete &bell;
  }

 private:
  Doorbell* bell_ = nullptr;
};

class Notifier {
 public:
  Notifier() = default;
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;
  ~Notifier() { stop(); }

  Result<> start();
  void stop() noexcept;

  // Any worker; never blocks.
  void ring(Doorbell& bell) noexcept;

 private:
  void run();
  Doorbell* ring_all(Doorbell* bells);

  std::atomic<Doorbell*> stack_{nullptr};
  std::atomic<uint32_t> work_{0};  // what run() sleeps on
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace crosswire::memif

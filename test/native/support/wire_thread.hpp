// SPDX-License-Identifier: Apache-2.0
// A wire without the engine: one thread that moves frames between two TAPs, and either leaves offloads to the kernel
// or finishes every frame itself.
//
//   namespace a                          namespace b
//   [t0] ◀── KernelLink ── WireThread ── KernelLink ──▶ [t0]
#pragma once

#include <sys/eventfd.h>

#include <array>
#include <atomic>
#include <thread>

#include "link/memory.hpp"
#include "support/tap_fixture.hpp"

namespace crosswire::test {

class WireThread {
 public:
  WireThread(KernelLink& a, KernelLink& b, bool finish_here)
      : links_{&a, &b}, payload_(a.facts().payload), finish_here_(finish_here), stop_(::eventfd(0, EFD_CLOEXEC)) {
    thread_ = std::thread([this] { run(); });
  }
  ~WireThread() {
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t ignored = ::write(stop_.get(), &one, sizeof one);
    thread_.join();
  }

  uint32_t super_frames() const { return super_frames_; }
  uint32_t lone_checksums() const { return lone_checksums_; }
  uint32_t refused() const { return refused_; }  // for other reasons than a full queue

 private:
  void run() {
    std::array<pollfd, 3> wait{};
    for (size_t i = 0; i < 2; ++i) wait[i] = {.fd = links_[i]->poll_fd(), .events = POLLIN, .revents = 0};
    wait[2] = {.fd = stop_.get(), .events = POLLIN, .revents = 0};
    while (::poll(wait.data(), wait.size(), -1) > 0 && wait[2].revents == 0) {
      move(*links_[0], *links_[1]);
      move(*links_[1], *links_[0]);
    }
  }

  void move(KernelLink& from, KernelLink& to) {
    const Burst& burst = worker_.receive(from);
    for (uint32_t n : burst.dropped) refused_ += n;
    for (uint32_t i = 0; i < burst.count; ++i) {
      const Frame& frame = burst.frames[i];
      if (frame.units > 1) ++super_frames_;
      if (frame.offload != 0 && frame.units == 1) ++lone_checksums_;
    }
    if (finish_here_) {
      finish(burst, to);
    } else {
      deliver(burst, to);
    }
  }

  void deliver(const Burst& burst, Link& to) {
    for (uint32_t at = 0; at < burst.count;) {
      const Transmitted result = to.transmit(burst, at, burst.count - at);
      at += result.taken;
      if (at == burst.count) return;
      if (result.reason != DropReason::tx_full) ++refused_;
      ++at;
    }
  }

  // By way of a link that takes no offloads, whose frames then carry none.
  void finish(const Burst& burst, Link& to) {
    MemoryLink splitter({.payload = payload_, .outbound_capacity = 1u << 20}), joiner({.inbound_capacity = 1u << 20});
    deliver(burst, splitter);
    for (MemoryFrame& frame : splitter.collect()) joiner.inject(std::move(frame));
    for (;;) {
      finished_->clear();
      joiner.receive(*finished_);
      if (finished_->count == 0) return;
      deliver(*finished_, to);
    }
  }

  std::array<KernelLink*, 2> links_;
  const Payload payload_;
  const bool finish_here_;
  const os::Fd stop_;
  WorkerBurst worker_;
  std::unique_ptr<Burst> finished_ = std::make_unique<Burst>();
  std::atomic<uint32_t> super_frames_{0}, lone_checksums_{0}, refused_{0};
  std::thread thread_;
};

}  // namespace crosswire::test

// SPDX-License-Identifier: Apache-2.0
// A link that does what a test says, on one thread: for the pump and the idle policy.
#pragma once

#include <doctest/doctest.h>
#include <sys/eventfd.h>

#include <deque>
#include <memory>
#include <vector>

#include "core/link.hpp"
#include "engine/wire.hpp"
#include "os/fd.hpp"

namespace crosswire::test {

class ScriptedLink final : public Link {
 public:
  ScriptedLink() : event_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

  // What receive() lends next.
  void push(uint32_t length) { waiting_.push_back(Frame{bytes_.data(), length, length}); }
  void push_segmented(uint32_t length, Offload offload, uint16_t units) {
    Frame frame{bytes_.data(), length, length};
    frame.units = units;
    waiting_.push_back(frame);
    offload_ = offload;
  }
  std::array<uint32_t, drop_reason_count> unreceived{};

  std::deque<Transmitted> answers;    // of the next calls of transmit(); none left: takes everything
  std::vector<uint32_t> transmitted;  // lengths
  uint32_t released = 0;

  bool armed = false;
  LinkFacts& mutable_facts() { return facts_; }
  void close_fd() { event_.reset(); }
  void make_readable() const { CHECK(::eventfd_write(event_.get(), 1) == 0); }
  void make_unreadable() const {
    eventfd_t value;
    CHECK(::eventfd_read(event_.get(), &value) == 0);
  }

  const LinkFacts& facts() const noexcept override { return facts_; }
  LinkState state() const override { return {}; }
  Result<> open() override { return Done{}; }
  void close() noexcept override {}

  void receive(Burst& burst) noexcept override {
    CHECK_FALSE(armed);  // core/link.hpp: disarm() before polling again
    burst.dropped = std::exchange(unreceived, {});
    for (; !waiting_.empty(); waiting_.pop_front()) {
      Frame& frame = burst.frames[burst.count++] = waiting_.front();
      if (frame.units == 1) continue;
      burst.offloads[burst.offload_count++] = offload_;
      frame.offload = static_cast<uint16_t>(burst.offload_count);
    }
  }
  void release() noexcept override { released++; }
  Transmitted transmit(const Burst& burst, uint32_t first, uint32_t count) noexcept override {
    Transmitted answer{count};
    if (!answers.empty()) {
      answer = answers.front();
      answers.pop_front();
    }
    for (uint32_t i = first; i < first + answer.taken; i++) transmitted.push_back(burst.frames[i].length);
    return answer;
  }

  int poll_fd() const noexcept override { return event_.get(); }
  bool arm() noexcept override {
    armed = true;
    return !waiting_.empty();
  }
  void disarm() noexcept override { armed = false; }

 private:
  LinkFacts facts_;
  os::Fd event_;
  std::deque<Frame> waiting_;
  Offload offload_;
  std::array<uint8_t, 1> bytes_{};  // nobody reads the bytes
};

// A wire between two scripted links.
struct ScriptedWire {
  ScriptedWire() {
    auto first = std::make_unique<ScriptedLink>(), second = std::make_unique<ScriptedLink>();
    client = first.get();
    endpoint = second.get();
    wire.handle = 1;
    wire.links = {std::move(first), std::move(second)};
    wire.counters = std::make_shared<WireCounters>();
  }
  Wire wire;
  ScriptedLink* client;
  ScriptedLink* endpoint;
};

}  // namespace crosswire::test

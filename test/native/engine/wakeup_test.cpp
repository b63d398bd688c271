// SPDX-License-Identifier: Apache-2.0
// A stress test of the proof in engine/idle_policy.hpp: every single frame must come out without further stimulus, at
// whatever moment between "hot" and "asleep" it arrives.
#include <doctest/doctest.h>

#include <atomic>
#include <random>

#include "bench.hpp"
#include "core/clock.hpp"

using namespace crosswire;
using namespace crosswire::test;

namespace {

void pause_for(uint64_t ns) {
  for (const uint64_t end = now_ns() + ns; now_ns() < end;) continue;
}

// One frame at a time, injected at a random moment after its predecessor was booked: around the worker's last check,
// the arming of the links, and the start of its sleep.
void hammer(const Engine& engine, const TestWire& wire, uint64_t longest_gap_ns, int frames) {
  std::mt19937_64 random(longest_gap_ns + 1);
  uint64_t delivered[2] = {};
  for (int i = 0; i < frames; i++) {
    const size_t from = random() % 2, to = 1 - from;
    REQUIRE(wire.ends[from]->inject(tagged({wire.handle, from, static_cast<uint64_t>(i)})));
    delivered[to]++;
    REQUIRE(eventually([&] { return read_row(engine, wire.handle).tx_packets(to) == delivered[to]; }));
    pause_for(random() % (longest_gap_ns + 1));
  }
  for (const size_t end : {0, 1}) CHECK(wire.ends[end]->collect().size() == delivered[end]);
}

}  // namespace

TEST_CASE("wake-up: a wire that goes cold at once") {
  Engine engine({.spin_ns = 0});
  REQUIRE(engine.start().ok());
  hammer(engine, add_wire(engine, {.outbound_capacity = 20'000}), 3000, 20'000);
  CHECK(engine.statistics()[0].wake_ups > 500);
}

TEST_CASE("wake-up: gaps around the spinning time") {
  Engine engine({.spin_ns = 10'000});
  REQUIRE(engine.start().ok());
  hammer(engine, add_wire(engine, {.outbound_capacity = 10'000}), 20'000, 10'000);
  CHECK(engine.statistics()[0].wake_ups > 100);
}

TEST_CASE("wake-up: a cold wire is noticed while another keeps the worker awake") {
  Engine engine({.spin_ns = 1'000'000});
  REQUIRE(engine.start().ok());
  const TestWire busy = add_wire(engine), quiet = add_wire(engine);
  std::atomic<bool> stop = false;
  std::thread feeder([&] {
    while (!stop) {
      busy.ends[0]->inject(tagged({busy.handle, 0, 0}));
      busy.ends[1]->collect();
      std::this_thread::yield();
    }
  });
  const auto times_slept = [&] { return engine.statistics()[0].wake_ups; };
  uint64_t sent = 0;
  const bool noticed_awake = eventually([&] {  // repeated, because a busy machine may stop the feeder for a while
    if (!eventually([&] { return engine.statistics()[0].hot_wires < 2; })) return false;  // the quiet one is cold
    const uint64_t before = times_slept();
    if (!quiet.ends[0]->inject(tagged({quiet.handle, 0, ++sent}))) return false;
    return eventually([&] { return read_row(engine, quiet.handle).tx_packets(1) == sent; }) && times_slept() == before;
  });
  CHECK(noticed_awake);
  stop = true;
  feeder.join();
}

TEST_CASE("wake-up: many wires, one sleeping worker") {
  Engine engine({.spin_ns = 0});
  REQUIRE(engine.start().ok());
  for (int i = 0; i < 100; i++) hammer(engine, add_wire(engine), 1000, 10);
}

TEST_CASE("wake-up: busy polling never sleeps, and still obeys") {
  Engine engine({.busy_poll = true});
  REQUIRE(engine.start().ok());
  const TestWire wire = add_wire(engine);
  hammer(engine, wire, 100'000, 100);
  CHECK(engine.statistics()[0].hot_wires == 1);
  REQUIRE(engine.remove(wire.handle).ok());
}

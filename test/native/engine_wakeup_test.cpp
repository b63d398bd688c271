// SPDX-License-Identifier: Apache-2.0
// The proof in engine/idle_policy.hpp, hammered: every single frame must come out without any further stimulus,
// whenever it arrives between "hot" and "asleep".
#include <doctest/doctest.h>

#include <atomic>
#include <random>

#include "core/clock.hpp"
#include "engine_bench.hpp"

using namespace crosswire;
using namespace crosswire::test;

namespace {

void pause_for(uint64_t ns) {
  for (const uint64_t end = now_ns() + ns; now_ns() < end;) std::this_thread::yield();
}

// One frame at a time, with random gaps around the time that a wire needs to go cold.
void hammer(const TestWire& wire, uint64_t longest_gap_ns, int frames) {
  std::mt19937_64 random(longest_gap_ns + 1);
  for (int i = 0; i < frames; i++) {
    const size_t from = random() % 2;
    REQUIRE(wire.ends[from]->inject(tagged({wire.handle, from, static_cast<uint64_t>(i)})));
    REQUIRE(wire.ends[1 - from]->wait_for(1));
    CHECK(tag_of(wire.ends[1 - from]->collect().at(0)).sequence == static_cast<uint64_t>(i));
    pause_for(random() % (longest_gap_ns + 1));
  }
}

}  // namespace

TEST_CASE("wake-up: a wire that goes cold at once") {
  Engine engine({.spin_ns = 0});
  REQUIRE(engine.start().ok());
  hammer(add_wire(engine), 20'000, 5000);
  CHECK(engine.statistics()[0].wake_ups > 500);
}

TEST_CASE("wake-up: gaps around the spinning time") {
  Engine engine({.spin_ns = 10'000});
  REQUIRE(engine.start().ok());
  hammer(add_wire(engine), 40'000, 5000);
  CHECK(engine.statistics()[0].wake_ups > 100);
}

TEST_CASE("wake-up: a cold wire beside a busy one") {
  Engine engine({.spin_ns = 0});
  REQUIRE(engine.start().ok());
  const TestWire busy = add_wire(engine), quiet = add_wire(engine);
  std::atomic<bool> stop = false;
  std::thread feeder([&] {
    while (!stop) {
      busy.ends[0]->inject(tagged({busy.handle, 0, 0}));
      busy.ends[1]->collect();
    }
  });
  hammer(quiet, 100'000, 500);
  stop = true;
  feeder.join();
  CHECK(read_row(engine, busy.handle).tx_packets(1) > 0);
}

TEST_CASE("wake-up: many wires, one sleeping worker") {
  Engine engine({.spin_ns = 0});
  REQUIRE(engine.start().ok());
  std::vector<TestWire> wires;
  for (int i = 0; i < 100; i++) wires.push_back(add_wire(engine));
  for (int pass = 0; pass < 5; pass++) {
    for (const auto& wire : wires) hammer(wire, 1000, 2);
  }
}

TEST_CASE("wake-up: busy polling never sleeps, and still obeys") {
  Engine engine({.busy_poll = true});
  REQUIRE(engine.start().ok());
  const TestWire wire = add_wire(engine);
  hammer(wire, 100'000, 100);
  CHECK(engine.statistics()[0].hot_wires == 1);
  REQUIRE(engine.remove(wire.handle).ok());
}

// SPDX-License-Identifier: Apache-2.0
// hot → cold → resting, on a clock of the test's own.
#include "engine/idle_policy.hpp"

#include <doctest/doctest.h>

#include "scripted_link.hpp"

using namespace crosswire;

namespace {

constexpr uint64_t ms = 1'000'000;
constexpr uint64_t spin = 50'000;

struct Bench {
  test::ScriptedWire ends;
  os::Fd wake{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
  IdlePolicy idle{spin, false};
  uint64_t now = 1'000'000 * ms;

  explicit Bench(bool may_miss_wakeups = false) {
    ends.client->mutable_facts().may_miss_wakeups = may_miss_wakeups;
    CHECK(idle.open(wake.get()).ok());
    idle.add(ends.wire, now);
  }
  Temperature temperature() const { return ends.wire.temperature; }
  void advance(uint64_t ns) {
    now += ns;
    idle.run_deadlines(now);
  }
  void report() { idle.wait(now, false); }
  // As the worker does after an empty round.
  void settle() {
    if (temperature() == Temperature::hot) idle.settle(0, now);
  }
  void go_cold() {
    advance(spin);
    settle();
    REQUIRE(temperature() == Temperature::cold);
  }
};

}  // namespace

TEST_CASE("idle policy: a wire goes cold after spinning, and wakes by its poll fd") {
  Bench bench;
  bench.advance(spin - 1);
  bench.settle();
  CHECK(bench.temperature() == Temperature::hot);
  bench.advance(1);
  bench.settle();
  CHECK(bench.temperature() == Temperature::cold);
  CHECK(bench.idle.hot().empty());
  CHECK(bench.ends.client->armed);
  CHECK(bench.ends.endpoint->armed);

  bench.report();
  CHECK(bench.temperature() == Temperature::cold);
  bench.ends.endpoint->make_readable();
  bench.report();
  CHECK(bench.temperature() == Temperature::hot);
  CHECK(bench.idle.hot().size() == 1);
  CHECK_FALSE(bench.ends.client->armed);
  CHECK_FALSE(bench.ends.endpoint->armed);
}

TEST_CASE("idle policy: a frame that arrives while the links are armed keeps the wire hot") {
  Bench bench;
  bench.ends.endpoint->push(60);
  bench.advance(spin);
  bench.settle();
  CHECK(bench.temperature() == Temperature::hot);
  CHECK_FALSE(bench.ends.client->armed);
}

TEST_CASE("idle policy: an fd that became readable before it is listened to is reported") {
  Bench bench;
  bench.go_cold();
  bench.ends.client->make_readable();
  bench.report();
  CHECK(bench.temperature() == Temperature::hot);
  bench.ends.wire.yielded = true;
  bench.advance(spin);
  bench.settle();  // the eventfd is still readable: nobody drained it
  CHECK(bench.temperature() == Temperature::cold);
  bench.report();
  CHECK(bench.temperature() == Temperature::hot);
}

TEST_CASE("idle policy: links that may miss a wake-up are looked at again") {
  for (const uint64_t after : {2 * ms, 100 * ms, 2000 * ms, 90'000 * ms}) {
    Bench bench(true);
    bench.go_cold();
    for (uint64_t passed = 0; passed < after - ms; passed += ms) bench.advance(ms);
    CHECK(bench.temperature() == Temperature::cold);
    bench.ends.client->push(60);
    const uint64_t limit = after <= 2 * ms ? 2 * ms : after <= 100 * ms ? 2 * ms : 1001 * ms;
    for (uint64_t passed = 0; passed < limit; passed += ms) bench.advance(ms);
    CHECK(bench.temperature() == Temperature::hot);
  }
}

TEST_CASE("idle policy: reliable links are left alone") {
  Bench bench;
  bench.go_cold();
  bench.ends.client->push(60);  // without a wake-up: breaks the contract
  for (int i = 0; i < 3000; i++) bench.advance(ms);
  CHECK(bench.temperature() == Temperature::cold);
}

TEST_CASE("idle policy: an fd that stays readable without a frame does not spin a worker") {
  Bench bench;
  bench.ends.client->make_readable();
  uint64_t hot_steps = 0;
  for (uint64_t step = 0; step < 10'000'000'000 / (spin / 2); step++) {  // ten seconds
    bench.advance(spin / 2);
    bench.report();
    hot_steps += bench.temperature() == Temperature::hot;
    bench.settle();
  }
  CHECK(bench.temperature() == Temperature::resting);
  CHECK(hot_steps < 50);  // 8 spins, then 1, 2, 4 … 1000 ms of rest between single looks

  // And it recovers when the fd behaves again.
  bench.ends.client->make_unreadable();
  bench.advance(1000 * ms);
  bench.settle();
  CHECK(bench.temperature() == Temperature::cold);
  bench.advance(2000 * ms);
  bench.ends.client->make_readable();
  bench.report();
  CHECK(bench.temperature() == Temperature::hot);
}

TEST_CASE("idle policy: frames found while resting end the rest") {
  Bench bench;
  bench.ends.client->make_readable();
  for (int i = 0; i < 1000 && bench.temperature() != Temperature::resting; i++) {
    bench.advance(spin);
    bench.report();
    bench.settle();
  }
  REQUIRE(bench.temperature() == Temperature::resting);
  bench.advance(1000 * ms);
  REQUIRE(bench.temperature() == Temperature::hot);
  bench.ends.wire.yielded = true;
  bench.ends.wire.active_at = bench.now;
  bench.go_cold();
}

TEST_CASE("idle policy: a link whose fd cannot be listened to is polled at a growing distance") {
  Bench bench;
  bench.ends.client->close_fd();
  bench.advance(spin);
  bench.settle();
  CHECK(bench.temperature() == Temperature::resting);
}

TEST_CASE("idle policy: a removed wire is reported no more") {
  Bench bench(true);
  bench.go_cold();
  bench.ends.client->make_readable();
  bench.idle.remove(bench.ends.wire);
  bench.report();
  bench.advance(5000 * ms);
  CHECK(bench.idle.hot().empty());
  CHECK(bench.idle.size() == 0);
}

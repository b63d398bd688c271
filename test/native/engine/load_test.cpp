// SPDX-License-Identifier: Apache-2.0
// Invariants under load: every frame is delivered or counted, in order, and on no other wire.
#include <doctest/doctest.h>

#include <atomic>
#include <random>

#include "bench.hpp"

using namespace crosswire;
using namespace crosswire::test;

namespace {

// Frames as they come out of one end: of one wire only, from the other end only, in order.
class Sink {
 public:
  Sink(uint64_t wire, uint64_t direction) : wire_(wire), direction_(direction) {}

  void take(MemoryLink& link) {
    for (const MemoryFrame& frame : link.collect()) {
      const Tag tag = tag_of(frame);
      CHECK(tag.wire == wire_);
      CHECK(tag.direction == direction_);
      CHECK(tag.sequence > last_);
      last_ = tag.sequence;
      frames_++;
    }
  }
  uint64_t frames() const { return frames_; }

 private:
  uint64_t wire_, direction_, last_ = 0, frames_ = 0;
};

// A thread that injects into both ends of a wire until it is stopped.
class Source {
 public:
  explicit Source(const TestWire& wire) : wire_(wire), thread_([this] { run(); }) {}
  ~Source() { stop(); }
  void stop() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }
  uint64_t injected(size_t end) const { return injected_[end]; }  // after stop()

 private:
  void run() {
    for (uint64_t sequence = 1; !stop_; sequence++) {
      for (size_t end = 0; end < 2; end++) {
        injected_[end] += wire_.ends[end]->inject(tagged({wire_.handle, end, sequence}));
      }
      if (sequence % 64 == 0) std::this_thread::yield();
    }
  }
  const TestWire wire_;
  std::atomic<bool> stop_ = false;
  uint64_t injected_[2] = {};
  std::thread thread_;
};

bool all_received(const Engine& engine, const TestWire& wire, const Source& source) {
  return eventually([&] {
    const Row row = read_row(engine, wire.handle);
    return row.rx_packets(0) >= source.injected(0) && row.rx_packets(1) >= source.injected(1);
  });
}

}  // namespace

TEST_CASE("load: 50 wires with tiny queues and random refusals lose nothing without a name") {
  Engine engine({.workers = 2});
  REQUIRE(engine.start().ok());
  constexpr size_t count = 50;
  constexpr DropReason refusals[] = {DropReason::too_big, DropReason::bad_checksum, DropReason::io_error,
                                     DropReason::link_down, DropReason::bad_payload};
  std::vector<TestWire> wires;
  std::vector<std::array<Sink, 2>> sinks;
  std::vector<std::array<uint64_t, 2>> entered(count), unreceived(count);
  for (size_t i = 0; i < count; i++) {
    wires.push_back(add_wire(engine, {.inbound_capacity = 64, .outbound_capacity = 8}));
    sinks.push_back({Sink(wires[i].handle, 1), Sink(wires[i].handle, 0)});
  }

  std::mt19937_64 random(1);
  for (uint64_t sequence = 1; sequence <= 60'000; sequence++) {
    const size_t i = random() % count, end = random() % 2;
    entered[i][end] += wires[i].ends[end]->inject(tagged({wires[i].handle, end, sequence}, 60 + random() % 1000));
    if (random() % 16 == 0) wires[i].ends[end]->refuse_next(refusals[random() % std::size(refusals)]);
    if (random() % 64 == 0) wires[i].ends[end]->set_up(random() % 2 == 0);
    if (random() % 64 == 0) {
      wires[i].ends[end]->count_drop(DropReason::bad_desc, 3);
      unreceived[i][end] += 3;
    }
    if (random() % 8 == 0) sinks[i][end].take(*wires[i].ends[end]);
  }

  uint64_t dropped = 0, delivered = 0;
  for (size_t i = 0; i < count; i++) {
    CHECK(eventually([&] {
      const Row row = read_row(engine, wires[i].handle);
      return row.rx_packets(0) == entered[i][0] + unreceived[i][0] &&
             row.rx_packets(1) == entered[i][1] + unreceived[i][1];
    }));
    const Row row = read_row(engine, wires[i].handle);
    CHECK(row.balances());
    for (size_t end = 0; end < 2; end++) {
      sinks[i][end].take(*wires[i].ends[end]);
      CHECK(row.tx_packets(end) == sinks[i][end].frames());
      CHECK(row.drops(end, DropReason::bad_desc) == unreceived[i][end]);
      dropped += row.drops(end) - unreceived[i][end];
      delivered += row.tx_packets(end);
    }
  }
  CHECK(dropped > 0);
  CHECK(delivered > 0);
}

TEST_CASE("load: every snapshot balances, and none ever shrinks") {
  Engine engine;
  REQUIRE(engine.start().ok());
  const TestWire wire = add_wire(engine, {.outbound_capacity = 16});
  Source source(wire);
  std::thread collector([&] {
    while (read_row(engine, wire.handle).rx_packets(0) < 100'000) {
      for (auto* end : wire.ends) end->collect();
    }
  });
  Row last;
  int snapshots = 0, balanced = 0;
  while (last.rx_packets(0) < 100'000) {
    const CounterSnapshot all = engine.snapshot();
    REQUIRE(all.handles == std::vector<uint64_t>{wire.handle});
    Row row;
    std::copy(all.words.begin(), all.words.end(), row.words.begin());
    for (size_t word = 0; word < row.words.size(); word++) CHECK(row.words[word] >= last.words[word]);
    balanced += row.balances();
    snapshots++;
    last = row;
  }
  collector.join();
  CHECK(balanced == snapshots);
}

TEST_CASE("load: an end is replaced under load without a frame unaccounted for") {
  Engine engine({.workers = 2});
  REQUIRE(engine.start().ok());
  TestWire wire = add_wire(engine, {.inbound_capacity = 512, .outbound_capacity = 512});
  Sink at_endpoint(wire.handle, 0);
  std::atomic<bool> stop = false;
  uint64_t injected = 0;  // at the client end, which stays
  std::thread source([&] {
    for (uint64_t sequence = 1; !stop; sequence++) injected += wire.ends[0]->inject(tagged({wire.handle, 0, sequence}));
  });

  for (int i = 0; i < 300; i++) {
    auto next = open_memory_link({.outbound_capacity = 512});
    MemoryLink* address = next.get();
    std::unique_ptr<Link> link = std::move(next);
    REQUIRE(engine.replace(wire.handle, EndName::endpoint, link).ok());
    REQUIRE(link.get() == wire.ends[1]);
    at_endpoint.take(*wire.ends[1]);
    link->close();
    wire.ends[1] = address;
    CHECK(engine.describe(wire.handle).ok());
  }
  stop = true;
  source.join();
  CHECK(eventually([&] { return read_row(engine, wire.handle).rx_packets(0) == injected; }));
  at_endpoint.take(*wire.ends[1]);
  const Row row = read_row(engine, wire.handle);
  CHECK(row.balances());
  CHECK(row.tx_packets(1) == at_endpoint.frames());
  CHECK(at_endpoint.frames() > 0);
}

TEST_CASE("load: what the old link had received goes out first") {
  Engine engine;  // never started: changes are done in place, and no worker is faster than the test
  const TestWire wire = add_wire(engine);
  for (uint64_t i = 0; i < 1000; i++) REQUIRE(wire.ends[1]->inject(tagged({wire.handle, 1, i + 1})));
  std::unique_ptr<Link> link = open_memory_link();
  REQUIRE(engine.replace(wire.handle, EndName::endpoint, link).ok());
  CHECK(read_row(engine, wire.handle).tx_packets(0) == 1000);
}

TEST_CASE("load: wires come and go beside one that loses nothing") {
  Engine engine({.spin_ns = 0});
  REQUIRE(engine.start().ok());
  const TestWire steady = add_wire(engine);
  std::atomic<bool> stop = false;
  std::thread churn([&] {
    while (!stop) {
      const TestWire wire = add_wire(engine);
      for (uint64_t i = 1; i <= 20; i++) wire.ends[i % 2]->inject(tagged({wire.handle, i % 2, i}));
      auto removed = engine.remove(wire.handle);
      REQUIRE(removed.ok());
      Row row;
      removed.value().counters->read(row.words);
      CHECK(row.balances());
    }
  });
  Sink sink(steady.handle, 0);
  for (uint64_t sequence = 1; sequence <= 3000; sequence++) {
    REQUIRE(steady.ends[0]->inject(tagged({steady.handle, 0, sequence})));
    REQUIRE(steady.ends[1]->wait_for(1));
    sink.take(*steady.ends[1]);
  }
  stop = true;
  churn.join();
  CHECK(sink.frames() == 3000);
}

TEST_CASE("load: stopping under load leaves balanced books") {
  for (int i = 0; i < 20; i++) {
    Engine engine({.workers = 2, .busy_poll = i % 2 == 0});
    REQUIRE(engine.start().ok());
    const TestWire wires[] = {add_wire(engine), add_wire(engine)};
    Source first(wires[0]), second(wires[1]);
    REQUIRE(eventually([&] { return read_row(engine, wires[0].handle).rx_packets(0) > 100; }));
    engine.stop();
    first.stop();
    second.stop();
    for (const auto& wire : wires) {
      auto removed = engine.remove(wire.handle);
      REQUIRE(removed.ok());
      Row row;
      removed.value().counters->read(row.words);
      CHECK(row.balances());
      CHECK(row.tx_packets(1) == wire.ends[1]->collect().size());
    }
  }
}

TEST_CASE("load: after the last frame all are accounted for") {
  Engine engine;
  REQUIRE(engine.start().ok());
  const TestWire wire = add_wire(engine, {.outbound_capacity = 100'000'000});
  Source source(wire);
  REQUIRE(eventually([&] { return read_row(engine, wire.handle).rx_packets(1) > 20'000; }));
  source.stop();
  REQUIRE(all_received(engine, wire, source));
  const Row row = read_row(engine, wire.handle);
  for (size_t end = 0; end < 2; end++) {
    CHECK(row.rx_packets(end) == source.injected(end));
    CHECK(row.tx_packets(end) == source.injected(1 - end));
    CHECK(row.drops(end) == 0);
  }
}

// SPDX-License-Identifier: Apache-2.0
#include "engine/engine.hpp"

#include <doctest/doctest.h>
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "bench.hpp"

using namespace crosswire;
using namespace crosswire::test;

namespace {

bool refused_with(const auto& result, const std::string& code) { return !result && result.error().code == code; }

// Bit n - 1 is signal n (proc_pid_status(5)).
uint64_t blocked_signals(const std::filesystem::path& task) {
  std::ifstream status(task / "status");
  std::string line;
  while (std::getline(status, line) && line.rfind("SigBlk:", 0) != 0) continue;
  return std::stoull(line.substr(7), nullptr, 16);
}

}  // namespace

TEST_CASE("engine: frames cross in both directions, and both links come back") {
  Engine engine;
  REQUIRE(engine.start().ok());
  const TestWire wire = add_wire(engine);
  REQUIRE(wire.ends[0]->inject(tagged({1, 0, 7})));
  REQUIRE(wire.ends[1]->inject(tagged({1, 1, 8}, 1514)));
  REQUIRE(wire.ends[1]->wait_for(1));
  REQUIRE(wire.ends[0]->wait_for(1));
  CHECK(tag_of(wire.ends[1]->collect().at(0)).sequence == 7);
  CHECK(wire.ends[0]->collect().at(0).bytes.size() == 1514);

  auto removed = engine.remove(wire.handle);
  REQUIRE(removed.ok());
  CHECK(removed.value().links[0].get() == wire.ends[0]);
  CHECK(removed.value().links[1].get() == wire.ends[1]);
  Row row;
  removed.value().counters->read(row.words);
  CHECK(row.rx_bytes(0) == 60);
  CHECK(row.tx_bytes(0) == 1514);
  CHECK(row.balances());
}

TEST_CASE("engine: a handle is never used again, and an unknown one is refused") {
  Engine engine;
  REQUIRE(engine.start().ok());
  const uint64_t first = add_wire(engine).handle;
  REQUIRE(engine.remove(first).ok());
  const uint64_t second = add_wire(engine).handle;
  CHECK(second != first);

  CHECK(refused_with(engine.remove(first), "WIRE_MISSING"));
  CHECK(refused_with(engine.describe(first), "WIRE_MISSING"));
  std::unique_ptr<Link> link = open_memory_link();
  CHECK(refused_with(engine.replace(first, EndName::client, link), "WIRE_MISSING"));
  CHECK(link != nullptr);
  Row row;
  CHECK_FALSE(engine.snapshot(first, row.words));
  CHECK(engine.handles() == std::vector<uint64_t>{second});
}

TEST_CASE("engine: a link of another payload is refused and stays with the caller") {
  Engine engine;
  WireSpec spec{"mixed", Payload::ethernet, 0, open_memory_link(), open_memory_link({.payload = Payload::ip})};
  const auto refused = engine.add(std::move(spec));
  CHECK(refused_with(refused, "PAYLOAD_MISMATCH"));
  CHECK(spec.client != nullptr);
  CHECK(spec.endpoint != nullptr);

  const TestWire wire = add_wire(engine);
  std::unique_ptr<Link> link = open_memory_link({.payload = Payload::ip});
  CHECK(refused_with(engine.replace(wire.handle, EndName::endpoint, link), "PAYLOAD_MISMATCH"));
}

TEST_CASE("engine: wires go to the worker with the fewest") {
  Engine engine({.workers = 3});
  REQUIRE(engine.start().ok());
  std::vector<uint64_t> handles;
  for (int i = 0; i < 9; i++) handles.push_back(add_wire(engine).handle);
  const auto wires_per_worker = [&] {
    std::multiset<uint64_t> wires;
    for (const auto& worker : engine.statistics()) wires.insert(worker.wires);
    return wires;
  };
  CHECK(eventually([&] { return wires_per_worker() == std::multiset<uint64_t>{3, 3, 3}; }));
  for (const size_t i : {0, 3, 6}) REQUIRE(engine.remove(handles[i]).ok());
  for (int i = 0; i < 3; i++) add_wire(engine);
  CHECK(eventually([&] { return wires_per_worker() == std::multiset<uint64_t>{3, 3, 3}; }));
}

TEST_CASE("engine: wires can be added before the start and removed after the stop") {
  Engine engine;
  const TestWire wire = add_wire(engine);
  REQUIRE(wire.ends[0]->inject(tagged({1, 0, 1})));
  REQUIRE(engine.start().ok());
  CHECK(wire.ends[1]->wait_for(1));
  engine.stop();
  engine.stop();
  CHECK(read_row(engine, wire.handle).tx_packets(1) == 1);
  CHECK(engine.remove(wire.handle).ok());
}

TEST_CASE("engine: a CPU that does not exist is an error, and no thread is left") {
  Engine engine({.workers = 2, .cpus = {0, 1023}});
  CHECK(refused_with(engine.start(), "CPU_UNAVAILABLE"));
}

TEST_CASE("engine: the state of both links can be read while they work") {
  Engine engine;
  REQUIRE(engine.start().ok());
  const TestWire wire = add_wire(engine);
  wire.ends[1]->set_up(false);
  const auto states = engine.describe(wire.handle);
  REQUIRE(states.ok());
  CHECK(states.value()[0].up);
  CHECK_FALSE(states.value()[1].up);
}

TEST_CASE("engine: statistics of a worker") {
  Engine engine;
  const TestWire wire = add_wire(engine);
  for (uint64_t i = 0; i < 100; i++) REQUIRE(wire.ends[0]->inject(tagged({1, 0, i})));
  REQUIRE(engine.start().ok());
  CHECK(eventually([&] { return engine.statistics()[0].hot_wires == 0 && engine.statistics()[0].frames == 100; }));
  const WorkerStatistics worker = engine.statistics()[0];
  CHECK(worker.bursts == 1);
  CHECK(worker.frames_per_burst[7] == 1);  // 65 to 128 frames
  CHECK(worker.busy_ns > 0);
  REQUIRE(wire.ends[0]->inject(tagged({1, 0, 100})));
  CHECK(eventually([&] { return engine.statistics()[0].frames_per_burst[0] == 1; }));
  CHECK(engine.statistics()[0].wake_ups >= 1);
  CHECK(engine.statistics()[0].idle_ns > 0);
}

TEST_CASE("engine: workers have a name and take no signal but faults") {
  Engine engine({.workers = 2});
  REQUIRE(engine.start().ok());
  std::set<std::string> names;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream comm(task.path() / "comm");
    std::string name;
    std::getline(comm, name);
    if (name.rfind("cw-worker-", 0) != 0) continue;
    names.insert(name);
    const auto blocks = [&](int signal) { return (blocked_signals(task.path()) >> (signal - 1) & 1) == 1; };
    // Until a new thread runs, glibc and the sanitizers block everything in it.
    CHECK(eventually([&] { return !blocks(SIGBUS); }));
    CHECK_FALSE(blocks(SIGSEGV));
    CHECK(blocks(SIGTERM));
    CHECK(blocks(SIGINT));
    CHECK(blocks(SIGCHLD));
  }
  CHECK(names == std::set<std::string>{"cw-worker-0", "cw-worker-1"});
}

// SPDX-License-Identifier: Apache-2.0
// Engine wires between memory links, and frames that carry their origin.
#pragma once

#include <doctest/doctest.h>

#include <cstring>
#include <functional>
#include <memory>
#include <numeric>
#include <thread>
#include <vector>

#include "engine/engine.hpp"
#include "link/memory.hpp"

namespace crosswire::test {

struct Tag {
  uint64_t wire;
  uint64_t direction;  // 0: entered at the client end
  uint64_t sequence;
};

inline std::vector<uint8_t> tagged(const Tag& tag, size_t length = 60) {
  std::vector<uint8_t> bytes(length);
  std::memcpy(bytes.data(), &tag, sizeof tag);
  return bytes;
}

inline Tag tag_of(const MemoryFrame& frame) {
  Tag tag{};
  REQUIRE(frame.bytes.size() >= sizeof tag);
  std::memcpy(&tag, frame.bytes.data(), sizeof tag);
  return tag;
}

inline std::unique_ptr<MemoryLink> open_memory_link(MemoryLink::Options options = {}) {
  auto link = std::make_unique<MemoryLink>(std::move(options));
  REQUIRE(link->open().ok());
  return link;
}

// The links belong to the engine; a test keeps their addresses.
struct TestWire {
  uint64_t handle = 0;
  MemoryLink* ends[2] = {};
};

inline TestWire add_wire(Engine& engine, MemoryLink::Options options = {}) {
  auto client = open_memory_link(options), endpoint = open_memory_link(options);
  TestWire wire{0, {client.get(), endpoint.get()}};
  auto added = engine.add({"test", Payload::ethernet, 0, std::move(client), std::move(endpoint)});
  REQUIRE(added.ok());
  wire.handle = added.value();
  return wire;
}

// A counter row with names.
struct Row {
  std::array<uint64_t, wire_counter_words> words{};

  uint64_t rx_packets(size_t end) const { return words[end * end_counter_words]; }
  uint64_t rx_bytes(size_t end) const { return words[end * end_counter_words + 1]; }
  uint64_t tx_packets(size_t end) const { return words[end * end_counter_words + 2]; }
  uint64_t tx_bytes(size_t end) const { return words[end * end_counter_words + 3]; }
  uint64_t drops(size_t end) const {
    const auto* first = words.data() + end * end_counter_words + 4;
    return std::accumulate(first, first + drop_reason_count, uint64_t{0});
  }
  uint64_t drops(size_t end, DropReason reason) const {
    return words[end * end_counter_words + 4 + static_cast<size_t>(reason)];
  }
  bool balances() const {
    return rx_packets(0) == tx_packets(1) + drops(0) && rx_packets(1) == tx_packets(0) + drops(1);
  }
};

inline Row read_row(const Engine& engine, uint64_t handle) {
  Row row;
  REQUIRE(engine.snapshot(handle, row.words));
  return row;
}

// Yields until `done`; false after a minute, which means a hang.
inline bool eventually(const std::function<bool()>& done) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!done()) {
    if (std::chrono::steady_clock::now() > limit) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace crosswire::test

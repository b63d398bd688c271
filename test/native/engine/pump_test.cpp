// SPDX-License-Identifier: Apache-2.0
// The pump books every frame once: delivered, or dropped with a reason.
#include "engine/pump.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <numeric>

#include "scripted_link.hpp"

using namespace crosswire;
using test::ScriptedLink;

namespace {

struct Bench {
  test::ScriptedWire ends;
  std::unique_ptr<Burst> burst = std::make_unique<Burst>();
  uint32_t max_frame = 0;

  bool pump_from_client() { return pump(*burst, {*ends.client, *ends.endpoint, *ends.wire.counters, 0, max_frame}); }
  const EndCounters& client() const { return ends.wire.counters->ends[0]; }
  const EndCounters& endpoint() const { return ends.wire.counters->ends[1]; }
  uint64_t drops(DropReason reason) const { return client().drops[static_cast<size_t>(reason)].get(); }
  uint64_t all_drops() const {
    return std::accumulate(client().drops.begin(), client().drops.end(), uint64_t{0},
                           [](uint64_t sum, const Counter& counter) { return sum + counter.get(); });
  }
  void check_balance() const { CHECK(client().rx_packets.get() == endpoint().tx_packets.get() + all_drops()); }
};

}  // namespace

TEST_CASE("pump: nothing arrived, nothing is booked") {
  Bench bench;
  CHECK_FALSE(bench.pump_from_client());
  CHECK(bench.client().sequence.get() == 0);
}

TEST_CASE("pump: a burst is delivered in order and released once") {
  Bench bench;
  for (const uint32_t length : {60u, 61u, 1514u}) bench.ends.client->push(length);
  CHECK(bench.pump_from_client());
  CHECK(bench.ends.endpoint->transmitted == std::vector<uint32_t>{60, 61, 1514});
  CHECK(bench.ends.client->released == 1);
  CHECK(bench.client().rx_packets.get() == 3);
  CHECK(bench.client().rx_bytes.get() == 1635);
  CHECK(bench.endpoint().tx_packets.get() == 3);
  CHECK(bench.endpoint().tx_bytes.get() == 1635);
  CHECK(bench.client().tx_packets.get() == 0);
  bench.check_balance();
}

TEST_CASE("pump: a full sink drops the rest of the burst") {
  Bench bench;
  for (int i = 0; i < 10; i++) bench.ends.client->push(100);
  bench.ends.endpoint->answers = {{4, DropReason::tx_full}};
  CHECK(bench.pump_from_client());
  CHECK(bench.drops(DropReason::tx_full) == 6);
  CHECK(bench.endpoint().tx_packets.get() == 4);
  CHECK(bench.client().rx_bytes.get() == 1000);
  bench.check_balance();
}

TEST_CASE("pump: a frame refused for itself does not stop those behind it") {
  Bench bench;
  for (uint32_t length = 100; length < 110; length++) bench.ends.client->push(length);
  bench.ends.endpoint->answers = {{3, DropReason::too_big}, {0, DropReason::bad_checksum}};
  CHECK(bench.pump_from_client());
  CHECK(bench.ends.endpoint->transmitted == std::vector<uint32_t>{100, 101, 102, 105, 106, 107, 108, 109});
  CHECK(bench.drops(DropReason::too_big) == 1);
  CHECK(bench.drops(DropReason::bad_checksum) == 1);
  bench.check_balance();
}

TEST_CASE("pump: a super-frame counts as the frames it stands for, also when cut short") {
  Bench bench;
  Offload offload;
  offload.segmentation = Offload::Segmentation::tcp4;
  offload.header_length = 54;
  offload.segment_size = 1000;
  bench.ends.client->push_segmented(54 + 4500, offload, 5);
  bench.ends.endpoint->answers = {{0, DropReason::tx_full, 2, 2 * 1054}};
  CHECK(bench.pump_from_client());
  CHECK(bench.client().rx_packets.get() == 5);
  CHECK(bench.client().rx_bytes.get() == 5 * 54 + 4500);
  CHECK(bench.endpoint().tx_packets.get() == 2);
  CHECK(bench.endpoint().tx_bytes.get() == 2 * 1054);
  CHECK(bench.drops(DropReason::tx_full) == 3);
  bench.check_balance();
}

TEST_CASE("pump: what could not be received counts as received and dropped, without bytes") {
  Bench bench;
  bench.ends.client->unreceived[static_cast<size_t>(DropReason::bad_desc)] = 7;
  bench.ends.client->push(60);
  CHECK(bench.pump_from_client());
  bench.ends.client->unreceived[static_cast<size_t>(DropReason::bad_index)] = 2;
  CHECK(bench.pump_from_client());
  CHECK(bench.client().rx_packets.get() == 10);
  CHECK(bench.client().rx_bytes.get() == 60);
  CHECK(bench.drops(DropReason::bad_desc) == 7);
  CHECK(bench.drops(DropReason::bad_index) == 2);
  bench.check_balance();
}

TEST_CASE("pump: a wire's longest frame is measured as it leaves the wire") {
  Bench bench;
  bench.max_frame = 1054;
  Offload offload;
  offload.segmentation = Offload::Segmentation::tcp6;
  offload.header_length = 54;
  offload.segment_size = 1000;
  bench.ends.client->push(1055);
  bench.ends.client->push(1054);
  bench.ends.client->push(2000);
  bench.ends.client->push_segmented(54 + 3000, offload, 3);
  bench.ends.client->push(9000);
  CHECK(bench.pump_from_client());
  CHECK(bench.ends.endpoint->transmitted == std::vector<uint32_t>{1054, 3054});
  CHECK(bench.drops(DropReason::too_big) == 3);
  bench.check_balance();
}

TEST_CASE("pump: a row holds client words, then endpoint words") {
  Bench bench;
  bench.ends.client->push(100);
  bench.ends.client->push(200);
  bench.ends.endpoint->answers = {{1, DropReason::link_down}};
  CHECK(bench.pump_from_client());
  std::array<uint64_t, wire_counter_words> row{};
  bench.ends.wire.counters->read(row);
  CHECK(row[0] == 2);
  CHECK(row[1] == 300);
  CHECK(row[4 + static_cast<size_t>(DropReason::link_down)] == 1);
  CHECK(row[end_counter_words + 2] == 1);
  CHECK(row[end_counter_words + 3] == 100);
  CHECK(std::accumulate(row.begin(), row.end(), uint64_t{0}) == 2 + 300 + 1 + 1 + 100);
}

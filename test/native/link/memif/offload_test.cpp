// SPDX-License-Identifier: Apache-2.0
// Super-frames and unfinished checksums on their way into memif slots.
#include <doctest/doctest.h>

#include "fixture.hpp"
#include "support/packet.hpp"

namespace crosswire {
namespace {

using test::Bytes;
using test::MemifPair;
using test::SocketDirectory;
using test::until;

struct SuperFrame {
  explicit SuperFrame(size_t data_length, uint16_t segment_size) {
    std::mt19937 random(7);
    spec.data = test::random_bytes(random, data_length);
    spec.finished = false;
    packet = test::build(spec);
    wanted = test::build_segments(spec, segment_size);
    burst->frames[0] = {packet.bytes.data(), uint32_t(packet.bytes.size()), uint32_t(packet.bytes.size())};
    burst->frames[0].offload = 1;
    burst->frames[0].units = uint16_t(wanted.size());
    burst->offloads[0] = {.needs_checksum = true,
                          .checksum_start = uint16_t(packet.transport),
                          .checksum_offset = 16,
                          .segmentation = Offload::Segmentation::tcp4,
                          .header_length = uint16_t(packet.data),
                          .segment_size = segment_size};
    burst->count = burst->offload_count = 1;
  }

  test::PacketSpec spec;
  test::Packet packet;
  std::vector<Bytes> wanted;
  std::unique_ptr<Burst> burst = std::make_unique<Burst>();
};

TEST_CASE("memif offload: a super-frame arrives as its segments, finished") {
  const SocketDirectory directory;
  MemifPair pair(directory.file("a.sock"));
  REQUIRE(pair.connect());
  SuperFrame frame(60000, 1448);
  for (auto [from, to] : {std::pair(pair.client.get(), pair.server.get()), {pair.server.get(), pair.client.get()}}) {
    const Transmitted sent = from->link.transmit(*frame.burst, 0, 1);
    CHECK(sent.taken == 1);
    CHECK(sent.partial_units == 0);
    REQUIRE(until([&] { return to->got.size() == frame.wanted.size(); }, {to}));
    CHECK(to->got == frame.wanted);
  }
}

TEST_CASE("memif offload: segments longer than a buffer are chained") {
  const SocketDirectory directory;
  MemifPair pair(directory.file("a.sock"), [](auto&, auto& client) { client.buffer_size = 256; });
  REQUIRE(pair.connect());
  SuperFrame frame(30000, 8900);
  REQUIRE(pair.client->link.transmit(*frame.burst, 0, 1).taken == 1);
  REQUIRE(until([&] { return pair.server->got.size() == frame.wanted.size(); }, {pair.server.get()}));
  CHECK(pair.server->got == frame.wanted);
}

TEST_CASE("memif offload: a ring that fills in the middle of a super-frame says how far it came") {
  const SocketDirectory directory;
  MemifPair pair(directory.file("a.sock"), [](auto&, auto& client) { client.ring_size = 8; });
  REQUIRE(pair.connect());
  SuperFrame frame(20 * 1000, 1000);
  for (auto [from, to] : {std::pair(pair.client.get(), pair.server.get()), {pair.server.get(), pair.client.get()}}) {
    const Transmitted sent = from->link.transmit(*frame.burst, 0, 1);
    CHECK(sent.taken == 0);
    CHECK(sent.reason == DropReason::tx_full);
    CHECK(sent.partial_units == 8);
    CHECK(sent.partial_bytes == 8 * frame.wanted[0].size());
    CHECK(to->turn() == 8);
    CHECK(std::equal(to->got.begin(), to->got.end(), frame.wanted.begin()));
  }
}

TEST_CASE("memif offload: what is too long for the link is refused, by the length of a segment") {
  const SocketDirectory directory;
  MemifPair pair(directory.file("a.sock"), [](auto&, auto& client) { client.max_frame = 1514; });
  REQUIRE(pair.connect());
  SuperFrame fits(20000, 1448), long_segments(20000, 1461);
  CHECK(pair.client->link.transmit(*fits.burst, 0, 1).taken == 1);
  CHECK(pair.client->link.transmit(*long_segments.burst, 0, 1).reason == DropReason::too_big);
  CHECK(pair.client->send({Bytes(1515, 1)}).reason == DropReason::too_big);
  CHECK(pair.client->send({Bytes(1515, 1)}, 700).reason == DropReason::too_big);
  CHECK(pair.client->send({Bytes(1514, 1)}).taken == 1);
}

}  // namespace
}  // namespace crosswire

// SPDX-License-Identifier: Apache-2.0
// Our server and our client, through a real socket and real shared memory.
#include <doctest/doctest.h>

#include "fixture.hpp"
#include "support/namespace.hpp"

namespace crosswire {
namespace {

using test::Bytes;
using test::MemifPair;
using test::numbered;
using test::SocketDirectory;
using test::until;

std::vector<Bytes> frames_of(std::initializer_list<size_t> lengths) {
  std::vector<Bytes> frames;
  for (const size_t length : lengths) frames.push_back(numbered(static_cast<uint32_t>(frames.size()), length));
  return frames;
}

void check_both_ways(MemifPair& pair, const std::vector<Bytes>& frames, uint32_t cut = UINT32_MAX) {
  for (auto [from, to] : {std::pair(pair.client.get(), pair.server.get()), {pair.server.get(), pair.client.get()}}) {
    to->got.clear();
    REQUIRE(from->send(frames, cut).taken == frames.size());
    REQUIRE(until([&] { return to->got.size() >= frames.size(); }, {pair.server.get(), pair.client.get()}));
    CHECK(to->got == frames);
  }
}

TEST_CASE("memif: frames of every length go both ways unchanged") {
  const SocketDirectory directory;
  MemifPair pair(directory.file("a.sock"));
  REQUIRE(pair.connect());
  check_both_ways(pair, frames_of({14, 15, 31, 32, 33, 60, 63, 64, 65, 127, 128, 129, 1500, 2047, 2048}));
  CHECK(pair.server_link->state().up);
  CHECK(pair.server_link->state().peer == "crosswire");
  CHECK(pair.client_link->state().peer == "crosswire server-end");
  CHECK(pair.client_link->state().ring_size == 1024);
}

TEST_CASE("memif: frames longer than a buffer are chained, up to 64 KiB") {
  const SocketDirectory directory;
  MemifPair pair(directory.file("a.sock"));
  REQUIRE(pair.connect());
  check_both_ways(pair, frames_of({2049, 4096, 9000, 9216, 65535, max_frame_length, 60}));
  check_both_ways(pair, frames_of({2049, 9000, 9216, 60, 30000}), 1000);
}

TEST_CASE("memif: rings wrap, in the ring and in the 16-bit counters") {
  const SocketDirectory directory;
  MemifPair pair(directory.file("a.sock"), [](auto&, auto& client) { client.ring_size = 4; });
  REQUIRE(pair.connect());
  for (uint32_t round = 0; round < 33000; round++) {
    const std::vector<Bytes> frames{numbered(round, 60), numbered(round + 1, 70), numbered(round + 2, 80)};
    REQUIRE(pair.client->send(frames).taken == 3);
    REQUIRE(pair.server->send(frames).taken == 3);
    REQUIRE(pair.server->turn() == 3);
    REQUIRE(pair.client->turn() == 3);
    REQUIRE(pair.server->got == frames);
    REQUIRE(pair.client->got == frames);
    pair.server->got.clear();
    pair.client->got.clear();
  }
}

TEST_CASE("memif: a full ring refuses, and the rest stays with the caller") {
  const SocketDirectory directory;
  MemifPair pair(directory.file("a.sock"), [](auto&, auto& client) { client.ring_size = 8; });
  REQUIRE(pair.connect());
  for (test::Player* player : {pair.client.get(), pair.server.get()}) {
    std::vector<Bytes> ten(10, Bytes(60, 1));
    const Transmitted sent = player->send(ten);
    CHECK(sent.taken == 8);
    CHECK(sent.reason == DropReason::tx_full);
    CHECK(player->send({Bytes(60, 1)}).reason == DropReason::tx_full);
  }
  pair.server->turn();
  pair.client->turn();
  // Nine slots: can never fit into a ring of eight.
  CHECK(pair.client->send({Bytes(2048 * 8 + 1, 1)}).reason == DropReason::too_big);
  CHECK(pair.server->send({Bytes(2048 * 8 + 1, 1)}).reason == DropReason::too_big);
  check_both_ways(pair, frames_of({2048 * 8}));
}

TEST_CASE("memif: several rings keep the order of a flow") {
  const SocketDirectory directory;
  MemifPair pair(directory.file("a.sock"), [](auto&, auto& client) { client.rings = 4; });
  REQUIRE(pair.connect());
  CHECK(pair.server_link->state().receive_rings == 4);
  CHECK(pair.server_link->state().transmit_rings == 4);
  std::vector<Bytes> frames;
  for (uint32_t i = 0; i < 200; i++) {
    Bytes frame = numbered(i, 100);
    std::fill_n(frame.begin(), 14, uint8_t(0));
    frame[5] = uint8_t(i % 7);
    frames.push_back(frame);
  }
  REQUIRE(pair.client->send(frames).taken == 200);
  REQUIRE(until([&] { return pair.server->got.size() == 200; }, {pair.server.get()}));
  CHECK(pair.server->got != frames);  // spread over rings
  for (uint8_t flow = 0; flow < 7; flow++) {
    std::vector<Bytes> sent, received;
    std::ranges::copy_if(frames, std::back_inserter(sent), [&](const Bytes& f) { return f[5] == flow; });
    std::ranges::copy_if(pair.server->got, std::back_inserter(received), [&](const Bytes& f) { return f[5] == flow; });
    CHECK(sent == received);
  }
}

TEST_CASE("memif: frames without a peer are refused as link_down") {
  const SocketDirectory directory;
  MemifPair pair(directory.file("a.sock"));
  REQUIRE(pair.server_link->open());
  CHECK(pair.server->turn() == 0);
  const Transmitted sent = pair.server->send({Bytes(60, 1)});
  CHECK(sent.taken == 0);
  CHECK(sent.reason == DropReason::link_down);
  CHECK_FALSE(pair.server_link->state().up);
}

TEST_CASE("memif: payload ip, abstract socket in a namespace") {
  NEEDS_NAMESPACE(place);
  MemifPair pair("@crosswire-test", [&](auto& server, auto& client) {
    server.netns = client.netns = place.path();
    server.payload = client.payload = Payload::ip;
  });
  REQUIRE(pair.connect());
  check_both_ways(pair, frames_of({20, 60, 1500}));
  MemifPair elsewhere("@crosswire-test");
  REQUIRE(elsewhere.server_link->open());
}

}  // namespace
}  // namespace crosswire

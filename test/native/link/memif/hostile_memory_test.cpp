// SPDX-License-Identifier: Apache-2.0
// A hostile client with a session: descriptors, indices and chains, every row of the memif contract's §7.2. Whatever it
// writes affects only its own frames or its session.
#include <doctest/doctest.h>

#include "fixture.hpp"
#include "raw_client.hpp"

namespace crosswire {
namespace {

using test::Bytes;
using test::Player;
using test::RawClient;
using test::SocketDirectory;
using test::until;

struct Victim {
  explicit Victim(uint8_t log2 = 4, const std::function<void(memif::Options&)>& adjust = {}) {
    memif::Options options{.name = "victim", .socket = directory.file("a.sock")};
    if (adjust) adjust(options);
    link = std::make_unique<memif::MemifLink>(options, service);
    REQUIRE(link->open());
    player = std::make_unique<Player>(*link);
    client = std::make_unique<RawClient>(options.socket);
    client->log2 = log2;
    if (log2 > 4) client->buffer_size = 256;
    client->shake_hands();
    // Its first frame arrives: from here on the worker has the session.
    client->send_frame(60, 1);
    REQUIRE(until([&] { return player->got.size() == 1; }, {player.get()}));
    player->got.clear();
  }

  // Publishes slots [head, head + count) and lets the worker process them.
  void publish(uint16_t count) {
    client->set_head(0, uint16_t(client->head(0) + count));
    player->turn();
  }
  bool still_works() {
    player->got.clear();
    client->send_frame(77, 9);
    player->turn();
    return player->got.size() == 1 && player->got[0] == Bytes(77, 9) && client->tail(0) == client->head(0);
  }

  const SocketDirectory directory;
  memif::Service service;
  std::unique_ptr<memif::MemifLink> link;
  std::unique_ptr<Player> player;
  std::unique_ptr<RawClient> client;
};

TEST_CASE("memif hostile memory: descriptors that point outside, or nowhere") {
  Victim victim;
  RawClient& client = *victim.client;
  const uint32_t size = uint32_t(client.size);
  const struct {
    uint16_t region;
    uint32_t length, offset;
  } bad[] = {
      {1, 60, 0},
      {15, 60, 0},
      {16, 60, 0},
      {0xffff, 60, 0},
      {0, 0, 0},
      {0, 61, size - 60},
      {0, 60, size},
      {0, 60, 0xffffffff},
      {0, 0xffffffff, 0},
      {0, 0xffffffff, 1},
      {0, 0x80000000u, 0x80000000u},
      {0, 0xffffffc4, 0x3c},
      {0, size + 1, 0},
  };
  for (const auto& descriptor : bad) {
    const uint64_t before = victim.player->drops(DropReason::bad_desc);
    client.put(client.head(0), 0, descriptor.region, descriptor.length, descriptor.offset);
    victim.publish(1);
    CHECK(victim.player->drops(DropReason::bad_desc) == before + 1);
    CHECK(victim.player->got.empty());
    CHECK(victim.still_works());
    victim.player->got.clear();
  }
  // To the last byte is right; longer than any frame is not.
  client.put(client.head(0), 0, 0, 60, size - 60);
  victim.publish(1);
  CHECK(victim.player->got.size() == 1);
  client.put(client.head(0), 0, 0, max_frame_length + 1, 0);
  victim.publish(1);
  CHECK(victim.player->drops(DropReason::too_big) == 1);
  client.put(client.head(0), 0, 0, 13, 0);
  victim.publish(1);
  CHECK(victim.player->drops(DropReason::too_short) == 1);
  CHECK(victim.still_works());
}

TEST_CASE("memif hostile memory: chains that never end, end too early, or hide a bad slot") {
  Victim victim(10);
  RawClient& client = *victim.client;
  const auto chain = [&](uint16_t slots, uint16_t last_flags, uint16_t bad_at = 0xffff) {
    const uint16_t head = client.head(0);
    for (uint16_t i = 0; i < slots; i++) {
      const uint16_t flags = i + 1 == slots ? last_flags : 1;
      client.put(uint16_t(head + i), flags, i == bad_at ? 3 : 0, 20, client.buffer(0, uint16_t(head + i)));
    }
    victim.publish(slots);
  };
  chain(3, 1);  // goes on behind what was published
  CHECK(victim.player->drops(DropReason::bad_desc) == 1);
  CHECK(victim.still_works());
  chain(1, 1);
  CHECK(victim.player->drops(DropReason::bad_desc) == 2);
  CHECK(victim.still_works());
  for (uint16_t bad_at : {0, 1, 4}) {
    const uint64_t before = victim.player->drops(DropReason::bad_desc);
    chain(5, 0, bad_at);
    CHECK(victim.player->drops(DropReason::bad_desc) == before + 1);
    CHECK(victim.still_works());
  }
  victim.player->got.clear();
  chain(256, 0);
  REQUIRE(victim.player->got.size() == 1);
  CHECK(victim.player->got[0].size() == 256 * 20);
  const uint64_t before = victim.player->drops(DropReason::bad_desc);
  chain(257, 0);
  CHECK(victim.player->drops(DropReason::bad_desc) == before + 1);
  // The whole ring one chain without end.
  for (uint16_t i = 0; i < 1024; i++) client.put(i, 1, 0, 20, 0);
  client.set_head(0, uint16_t(client.head(0) + 1024));
  for (int turn = 0; turn < 8; turn++) victim.player->turn();
  CHECK(client.tail(0) == client.head(0));
  CHECK(victim.still_works());
}

TEST_CASE("memif hostile memory: NEXT of a consumed slot is cleared") {
  Victim victim;
  RawClient& client = *victim.client;
  const uint16_t first = client.head(0);
  client.put(first, 1, 0, 60, client.buffer(0, first));
  client.put(uint16_t(first + 1), 0, 0, 60, client.buffer(0, first));
  victim.publish(2);
  CHECK(victim.player->got.size() == 1);
  CHECK(memif::load_slot(client.slot(0, first)).flags() == 0);
}

TEST_CASE("memif hostile memory: an index that jumps is skipped over, one that keeps jumping ends the session") {
  Victim victim;
  RawClient& client = *victim.client;
  for (const uint16_t jump : {17, 1000, 0x7fff, 0x8000, 0xffff}) {
    const uint64_t before = victim.player->drops(DropReason::bad_index);
    victim.publish(jump);
    CHECK(victim.player->drops(DropReason::bad_index) == before + 1);
    CHECK(client.tail(0) == client.head(0));
    CHECK(victim.still_works());
  }
  for (int i = 0; i < 300; i++) victim.publish(17);
  CHECK(client.refusal() == "ring indices keep jumping");
  CHECK(until([&] { return victim.link->state().refused == 1; }, {victim.player.get()}));
}

TEST_CASE("memif hostile memory: our own indices, flags and cookie do not matter once written") {
  Victim victim;
  RawClient& client = *victim.client;
  for (uint16_t garbage : {0, 1, 5, 0x7fff, 0xffff}) {
    memif::publish_index(client.header(0).tail, garbage);
    memif::publish_index(client.header(1).tail, garbage);
    client.header(0).cookie = garbage;
    memif::store_flags(client.header(0), garbage);
    CHECK(victim.still_works());
    CHECK(victim.player->send({Bytes(60, 1)}).taken == 1);
  }
}

TEST_CASE("memif hostile memory: offered buffers that lie outside end the session before a byte is written") {
  const struct {
    uint16_t region;
    uint32_t length, offset;
  } bad[] = {{1, 2048, 0}, {16, 2048, 0}, {0xffff, 2048, 0}, {0, 0, 0}, {0, 2048, 1 << 20}, {0, 2048, 0xffffffff}};
  for (const auto& descriptor : bad) {
    Victim victim;
    const memif::Slot slot{memif::slot_what(0, descriptor.region, descriptor.length), descriptor.offset};
    memif::store_slot(victim.client->slot(1, 0), slot);
    const Transmitted sent = victim.player->send({Bytes(60, 1)});
    CHECK(sent.taken == 0);
    CHECK(sent.reason == DropReason::link_down);
    CHECK(victim.client->refusal() == "an offered buffer lies outside its region");
  }
}

TEST_CASE("memif hostile memory: an offered buffer is used up to its length, and never past its region") {
  Victim victim;
  RawClient& client = *victim.client;
  // A length far past the region's end is cut to it: 100 bytes here, the rest goes to the next slot.
  memif::store_slot(client.slot(1, 0), {memif::slot_what(0, 0, 0xffffffff), client.size - 100});
  memif::store_slot(client.slot(1, 1), {memif::slot_what(0, 0, 10), client.buffer(1, 1)});
  REQUIRE(victim.player->send({Bytes(150, 5)}).taken == 1);
  CHECK(client.tail(1) == 3);
  CHECK(memif::load_slot(client.slot(1, 0)).length() == 100);
  CHECK(memif::load_slot(client.slot(1, 0)).flags() == 1);
  CHECK(memif::load_slot(client.slot(1, 1)).length() == 10);
  CHECK(memif::load_slot(client.slot(1, 2)).length() == 40);
  CHECK(memif::load_slot(client.slot(1, 2)).flags() == 0);
  CHECK(client.memory[client.size - 1] == 5);
}

TEST_CASE("memif hostile memory: more offered than the ring holds") {
  Victim victim;
  RawClient& client = *victim.client;
  client.set_head(1, 1000);
  const std::vector<Bytes> many(40, Bytes(60, 1));
  CHECK(victim.player->send(many).taken <= 40);
  for (int i = 0; i < 600; i++) {
    client.set_head(1, uint16_t(client.tail(1) + 1000));
    victim.player->send(many);
  }
  CHECK(client.refusal() == "ring indices keep jumping");
}

TEST_CASE("memif hostile memory: rings, buffers and regions on top of each other") {
  Victim victim;
  RawClient& client = *victim.client;
  // Frames that are the ring itself, received and then written over the other ring.
  for (int round = 0; round < 100; round++) {
    client.put(client.head(0), 0, 0, 512, 0);
    memif::store_slot(client.slot(1, uint16_t(client.tail(1))),
                      {memif::slot_what(0, 0, 0xffff), client.ring_offset(1)});
    victim.publish(1);
    victim.player->send({victim.player->got.empty() ? Bytes(60, 1) : victim.player->got.back()});
  }
  CHECK(victim.link->state().sessions == 1);
}

}  // namespace
}  // namespace crosswire

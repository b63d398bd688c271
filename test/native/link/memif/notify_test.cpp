// SPDX-License-Identifier: Apache-2.0
// Sleeping and waking, with honest and hostile peers (memif contract §4.6, §7.1).
#include <doctest/doctest.h>

#include <thread>

#include "fixture.hpp"
#include "raw_client.hpp"

namespace crosswire {
namespace {

using test::Bytes;
using test::MemifPair;
using test::Player;
using test::RawClient;
using test::SocketDirectory;
using test::until;

bool readable(const Link& link, int milliseconds) {
  pollfd fd{link.poll_fd(), POLLIN, 0};
  return ::poll(&fd, 1, milliseconds) == 1;
}

uint64_t take_count(const os::Fd& event) {
  uint64_t count = 0;
  pollfd ready{event.get(), POLLIN, 0};
  if (::poll(&ready, 1, 10'000) == 1) CHECK(::read(event.get(), &count, sizeof count) == sizeof count);
  return count;
}

TEST_CASE("memif notify: a sleeping link wakes for a frame, a polling one is left alone") {
  const SocketDirectory directory;
  MemifPair pair(directory.file("a.sock"));
  REQUIRE(pair.connect());
  for (auto [from, to] : {std::pair(pair.client.get(), pair.server.get()), {pair.server.get(), pair.client.get()}}) {
    for (int round = 0; round < 20; round++) {
      CHECK_FALSE(to->link.arm());
      REQUIRE(from->send({Bytes(60, 1)}).taken == 1);
      CHECK(readable(to->link, 10'000));
      to->link.disarm();
      CHECK(to->turn() == 1);
    }
    // arm() itself reports a frame that came before it.
    REQUIRE(from->send({Bytes(60, 1)}).taken == 1);
    CHECK(to->link.arm());
    to->link.disarm();
    CHECK(to->turn() == 1);
    CHECK_FALSE(to->link.arm());
    CHECK_FALSE(readable(to->link, 0));
    to->link.disarm();
  }
}

TEST_CASE("memif notify: a new session wakes a sleeping worker, and is armed from its first frame on") {
  const SocketDirectory directory;
  MemifPair pair(directory.file("a.sock"));
  REQUIRE(pair.server_link->open());
  CHECK_FALSE(pair.server_link->arm());
  REQUIRE(pair.client_link->open());
  CHECK(readable(*pair.server_link, 10'000));
  CHECK(pair.server->turn() == 0);  // takes the session, still armed
  REQUIRE(until([&] { return pair.client->send({Bytes(60, 1)}).taken == 1; }, {pair.client.get()}));
  CHECK(readable(*pair.server_link, 10'000));
  CHECK(pair.server->turn() == 1);
}

struct Victim {
  explicit Victim(const SocketDirectory& directory, memif::Service& service)
      : link({.name = "victim", .socket = directory.file("v.sock")}, service), player(link) {
    REQUIRE(link.open());
    client = std::make_unique<RawClient>(directory.file("v.sock"));
    client->shake_hands();
    client->send_frame(60, 1);
    REQUIRE(until([&] { return player.got.size() == 1; }, {&player}));
  }
  memif::MemifLink link;
  Player player;
  std::unique_ptr<RawClient> client;
};

TEST_CASE("memif notify: MASK_INT decides, both ways") {
  const SocketDirectory directory;
  memif::Service service;
  Victim victim(directory, service);
  RawClient& client = *victim.client;
  CHECK(memif::load_flags(client.header(0)) == 1);  // the link polls
  CHECK_FALSE(victim.link.arm());
  CHECK(memif::load_flags(client.header(0)) == 0);
  victim.link.disarm();
  CHECK(memif::load_flags(client.header(0)) == 1);

  REQUIRE(victim.player.send({Bytes(60, 1)}).taken == 1);
  CHECK(take_count(client.events[1]) == 1);
  memif::store_flags(client.header(1), memif::flag_mask_interrupt);
  for (int i = 0; i < 5; i++) REQUIRE(victim.player.send({Bytes(60, 1)}).taken == 1);
  memif::store_flags(client.header(1), 0);
  REQUIRE(victim.player.send({Bytes(60, 1)}).taken == 1);
  CHECK(take_count(client.events[1]) == 1);
}

TEST_CASE("memif notify: an eventfd that is full and blocks hangs nobody, and ends its session") {
  const SocketDirectory directory;
  memif::Service service;
  MemifPair honest(service, directory.file("h.sock"));
  REQUIRE(honest.connect());
  Victim victim(directory, service);
  RawClient& client = *victim.client;
  const int event = client.events[1].get();
  const uint64_t full = UINT64_MAX - 1;
  REQUIRE(::write(event, &full, sizeof full) == sizeof full);
  REQUIRE(::fcntl(event, F_SETFL, 0) == 0);  // shared with the victim: its writes block from now on

  // The honest pair sleeps and wakes all the while.
  for (int round = 0; round < 50; round++) {
    victim.player.send({Bytes(60, 1)});
    client.set_head(1, uint16_t(client.tail(1) + 16));
    CHECK_FALSE(honest.server_link->arm());
    REQUIRE(honest.client->send({Bytes(60, 1)}).taken == 1);
    CHECK(readable(*honest.server_link, 10'000));
    honest.server_link->disarm();
    CHECK(honest.server->turn() == 1);
  }
  REQUIRE(until(
      [&] {
        victim.player.send({Bytes(60, 1)});
        client.set_head(1, uint16_t(client.tail(1) + 16));
        return victim.link.state().refused == 1;
      },
      {&victim.player}));
  CHECK(victim.link.state().detail == "its eventfd blocks");
}

TEST_CASE("memif notify: a write may hang while its session ends") {
  const SocketDirectory directory;
  memif::Service service;
  auto victim = std::make_unique<Victim>(directory, service);
  const int event = victim->client->events[1].get();
  const uint64_t full = UINT64_MAX - 1;
  REQUIRE(::write(event, &full, sizeof full) == sizeof full);
  REQUIRE(::fcntl(event, F_SETFL, 0) == 0);
  victim->player.send({Bytes(60, 1)});
  victim->link.close();  // returns even if the notifier hangs
  victim.reset();
}

TEST_CASE("memif notify: signalling without ever sending ends the session") {
  const SocketDirectory directory;
  memif::Service service;
  Victim victim(directory, service);
  for (int round = 0; round < 1001; round++) {
    const uint64_t one = 1;
    REQUIRE(::write(victim.client->events[0].get(), &one, sizeof one) == sizeof one);
    CHECK_FALSE(victim.link.arm());
    victim.link.disarm();
  }
  CHECK(victim.client->refusal() == "it signals without sending");
}

}  // namespace
}  // namespace crosswire

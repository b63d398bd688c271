// SPDX-License-Identifier: Apache-2.0
// A peer that keeps writing random data anywhere, while frames flow on its own link and between an honest pair (memif
// contract §7.4).
#include <doctest/doctest.h>

#include <atomic>
#include <random>
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

// Words of any value over rings and descriptors. Offered buffers stay inside the region, since a single one outside
// ends the session.
void scribble(const RawClient& client, std::mt19937& random) {
  for (int number : {0, 1}) {
    const uint16_t counter = uint16_t(random());
    const bool plausible = number == 1 || random() % 4 != 0;
    const uint32_t length = plausible ? 14 + random() % 3000 : random();
    const uint32_t offset = plausible ? random() % uint32_t(client.size) : random();
    const uint16_t region = plausible ? 0 : uint16_t(random());
    memif::store_slot(client.slot(number, counter), {memif::slot_what(uint16_t(random() % 3), region, length), offset});
    memif::store_flags(client.header(number), uint16_t(random()));
    const uint16_t near = uint16_t(client.tail(number) + random() % 17);
    client.set_head(number, random() % 1024 == 0 ? uint16_t(random()) : near);
    if (random() % 1024 == 0) memif::publish_index(client.header(number).tail, uint16_t(random()));
  }
}

TEST_CASE("memif scribble: a well-behaved pair loses nothing beside it") {
  const SocketDirectory directory;
  memif::Service service;
  MemifPair honest(service, directory.file("h.sock"));
  REQUIRE(honest.connect());
  memif::MemifLink link({.name = "victim", .socket = directory.file("v.sock")}, service);
  REQUIRE(link.open());

  std::atomic<bool> stop{false};
  std::atomic<int> sessions{0};
  std::thread villain([&] {
    std::mt19937 random(1);
    while (!stop.load()) {
      RawClient client(directory.file("v.sock"));
      client.send(RawClient::init());
      if (client.next_type() != memif::MessageType::ack) {
        ::poll(nullptr, 0, 20);  // told to wait
        continue;
      }
      client.say_region();
      client.say_rings();
      client.say_connect();
      client.offer_all();
      sessions.fetch_add(1);
      pollfd ended{client.fd.get(), POLLIN, 0};
      while (!stop.load() && ::poll(&ended, 1, 0) == 0) {
        for (int i = 0; i < 100; i++) scribble(client, random);
      }
    }
  });

  // One worker owns both wires' links, as the engine's would, and the honest client plays in between.
  Player victim(link);
  uint64_t sent = 0;
  uint64_t taken_from_it = 0;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (sent < 200'000 || (taken_from_it < 1000 && std::chrono::steady_clock::now() < deadline)) {
    const std::vector<Bytes> frames(64, test::numbered(uint32_t(sent), 64));
    const uint32_t taken = honest.client->send(frames).taken;
    victim.burst->clear();
    link.receive(*victim.burst);
    taken_from_it += victim.burst->count;
    link.transmit(*victim.burst, 0, victim.burst->count);  // returns its own garbage
    link.release();
    honest.server->turn();
    REQUIRE(honest.server->got.size() == taken);
    REQUIRE(honest.server->got == std::vector<Bytes>(taken, frames[0]));
    honest.server->got.clear();
    sent += taken;
  }
  stop.store(true);
  villain.join();
  CHECK(sessions.load() > 0);
  CHECK(honest.server_link->state().refused == 0);
  CHECK(taken_from_it >= 1000);
}

}  // namespace
}  // namespace crosswire

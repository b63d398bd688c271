// SPDX-License-Identifier: Apache-2.0
// Our client against scripted servers, correct and hostile ones.
#include <doctest/doctest.h>

#include "fixture.hpp"
#include "raw_server.hpp"

namespace crosswire {
namespace {

using memif::MessageType;
using test::Bytes;
using test::Player;
using test::RawServer;
using test::SocketDirectory;
using test::until;

struct Stage {
  explicit Stage(const std::function<void(memif::Options&)>& adjust = {}) : server(directory.file("a.sock")) {
    memif::Options options{
        .name = "ours", .socket = directory.file("a.sock"), .role = memif::Role::client, .ring_size = 16};
    if (adjust) adjust(options);
    link = std::make_unique<memif::MemifLink>(options, service);
    player = std::make_unique<Player>(*link);
    REQUIRE(link->open());
  }
  void connect() {
    server.shake_hands_until_connect();
    server.connected();
    REQUIRE(until([&] { return link->state().up && player->send({Bytes(60, 1)}).taken == 1; }, {player.get()}));
  }
  // The server's frame, in the slot the client offered for it.
  void send_frame(uint16_t counter, uint32_t length, uint16_t flags = 0) const {
    memif::store_what(server.slot(1, counter), memif::slot_what(flags, 0, length));
    server.set_tail(1, uint16_t(counter + 1));
  }

  SocketDirectory directory;
  memif::Service service;
  RawServer server;
  std::unique_ptr<memif::MemifLink> link;
  std::unique_ptr<Player> player;
};

TEST_CASE("memif client: what it announces, in which order") {
  Stage stage([](auto& options) {
    options.rings = 2;
    options.id = 0x01020304;
    options.secret = "psst";
  });
  RawServer& server = stage.server;
  server.accept();
  server.send(RawServer::hello(RawServer::hello_body()));
  const auto init = memif::decode<memif::Init>(server.take());
  CHECK(uint32_t{init.id} == 0x01020304);
  CHECK(uint16_t{init.version} == 0x0200);
  CHECK(std::string(init.secret) == "psst");
  server.ack();
  const memif::Message region = server.take();
  CHECK(memif::type_of(region) == MessageType::add_region);
  CHECK(::fcntl(server.carried.get(), F_GET_SEALS) == (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL));
  for (uint16_t number = 0; number < 4; number++) {
    server.ack();
    const auto ring = memif::decode<memif::AddRing>(server.take());
    CHECK(uint16_t{ring.flags} == (number < 2 ? 1 : 0));
    CHECK(uint16_t{ring.index} == number % 2);
    CHECK(uint32_t{ring.offset} == number * memif::ring_bytes(16));
    CHECK((::fcntl(server.carried.get(), F_GETFL) & O_NONBLOCK) != 0);
  }
  server.ack();
  CHECK(memif::type_of(server.take()) == MessageType::connect);
}

TEST_CASE("memif client: nothing is offered or sent before CONNECTED") {
  Stage stage;
  stage.server.shake_hands_until_connect();
  CHECK(stage.server.rings.size() == 2);
  stage.player->turn();
  CHECK(stage.player->send({Bytes(60, 1)}).reason == DropReason::link_down);
  CHECK(stage.server.head(0) == 0);
  CHECK(stage.server.head(1) == 0);
  CHECK(memif::load_flags(stage.server.header(1)) == 1);
  stage.server.connected();
  REQUIRE(until([&] { return stage.server.head(1) == 16; }, {stage.player.get()}));
}

TEST_CASE("memif client: odd maxima are clipped, at least one ring of one slot") {
  for (const uint16_t maximum : {0, 1, 0xfffe, 0xffff}) {
    Stage stage([](auto& options) { options.rings = 2; });
    memif::Hello hello = RawServer::hello_body();
    hello.max_m2s_ring = hello.max_s2m_ring = maximum;
    hello.max_log2_ring_size = maximum == 0 ? 0 : 255;
    stage.server.shake_hands_until_connect(hello);
    CHECK(stage.server.rings.size() == (maximum == 0 ? 2 : 4));
    CHECK(stage.server.rings[0].log2_ring_size == (maximum == 0 ? 0 : 4));
    stage.server.connected();
    REQUIRE(until([&] { return stage.link->state().up; }, {stage.player.get()}));
    stage.player->turn();
    CHECK(stage.player->send({Bytes(60, 1)}).taken == 1);
  }
}

TEST_CASE("memif client: a server out of order is left, and tried again") {
  const auto hello = [](RawServer& s) { s.send(RawServer::hello(RawServer::hello_body())); };
  const std::function<void(RawServer&)> attacks[] = {
      [](RawServer& s) { s.ack(); },
      [](RawServer& s) { s.connected(); },
      [](RawServer& s) { s.send("x", 1); },
      [&](RawServer& s) { hello(s), hello(s); },
      [&](RawServer& s) { hello(s), s.connected(); },
      [&](RawServer& s) {
        for (hello(s); memif::type_of(s.take()) != MessageType::connect;) s.ack();
        s.ack();
      },
      [&](RawServer& s) {
        s.send(RawServer::hello(RawServer::hello_body()), {s.fd.get(), s.fd.get()});
      },
      [](RawServer& s) {
        memif::Hello old = RawServer::hello_body();
        old.min_version = 0x0300;
        s.send(RawServer::hello(old));
      },
  };
  Stage stage;
  for (const auto& attack : attacks) {
    stage.server.accept();
    attack(stage.server);
    std::optional<memif::Message> last;
    while (const auto message = stage.server.next()) last = message;
    REQUIRE(last);
    CHECK(memif::type_of(*last) == MessageType::disconnect);
  }
  CHECK(until([&] { return stage.link->state().refused == std::size(attacks); }, {stage.player.get()}));
}

TEST_CASE("memif client: what a server does to our slots does not move our buffers") {
  Stage stage;
  stage.connect();
  RawServer& server = stage.server;
  for (uint16_t counter = 0; counter < 40; counter++) {
    const uint64_t offered = memif::load_slot(server.slot(1, counter)).offset();
    std::memset(server.memory + offered, counter, 60);
    memif::store_slot(server.slot(1, counter), {memif::slot_what(0, uint16_t(0xffff - counter), 60), 0xffffff00u});
    server.set_tail(1, uint16_t(counter + 1));
    stage.player->turn();
    REQUIRE(stage.player->got.size() == counter + 1u);
    CHECK(stage.player->got.back() == Bytes(60, uint8_t(counter)));
    const memif::Slot again = memif::load_slot(server.slot(1, counter));
    CHECK(again.region() == 0);
    CHECK(again.offset() == offered);
    CHECK(again.length() == 2048);
  }
  for (uint16_t i = 0; i < 16; i++) memif::store_slot(server.slot(0, i), {~uint64_t{0}, ~uint64_t{0}});
  REQUIRE(stage.player->send({Bytes(60, 9)}).taken == 1);
  const memif::Slot sent = memif::load_slot(server.slot(0, uint16_t(server.head(0) - 1)));
  CHECK(sent.region() == 0);
  CHECK(sent.length() == 60);
  CHECK(server.memory[sent.offset()] == 9);
}

TEST_CASE("memif client: lengths past our buffers, chains and jumps of a server's index") {
  Stage stage;
  stage.connect();
  uint16_t next = 0;
  for (const uint32_t length : {0u, 2049u, 0xffffu, 0x10000u, 0xffffffffu}) {
    const uint64_t before = stage.player->drops(DropReason::bad_desc);
    stage.send_frame(next++, length);
    stage.player->turn();
    CHECK(stage.player->drops(DropReason::bad_desc) == before + 1);
  }
  stage.send_frame(next++, 60, 1);  // a chain without a second slot
  stage.player->turn();
  CHECK(stage.player->drops(DropReason::bad_desc) == 6);
  stage.send_frame(next++, 60);
  stage.player->turn();
  CHECK(stage.player->got.size() == 1);

  for (const uint16_t jump : {17, 0x8000, 0xffff}) {
    next = uint16_t(next + jump);
    stage.server.set_tail(1, next);
    stage.player->turn();
    CHECK(stage.server.head(1) == uint16_t(next + 16));
  }
  CHECK(stage.player->drops(DropReason::bad_index) == 3);
  stage.player->got.clear();
  stage.send_frame(next++, 60);
  stage.player->turn();
  CHECK(stage.player->got.size() == 1);
  for (int i = 0; i < 300; i++) {
    next = uint16_t(next + 17);
    stage.server.set_tail(1, next);
    stage.player->turn();
  }
  CHECK(until([&] { return stage.link->state().refused == 1; }, {stage.player.get()}));
}

TEST_CASE("memif client: it reconnects with new memory when the server goes") {
  Stage stage;
  stage.connect();
  struct stat first {
  }, second{};
  REQUIRE(::fstat(stage.server.file.get(), &first) == 0);
  const os::Fd kept = std::move(stage.server.file);  // a server may keep the old one forever
  stage.server.fd.reset();
  REQUIRE(until([&] { return !stage.link->state().up; }, {stage.player.get()}));
  stage.connect();
  REQUIRE(::fstat(stage.server.file.get(), &second) == 0);
  CHECK(first.st_ino != second.st_ino);
  CHECK(stage.link->state().sessions == 2);
}

}  // namespace
}  // namespace crosswire

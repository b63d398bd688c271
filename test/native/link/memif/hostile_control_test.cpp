// SPDX-License-Identifier: Apache-2.0
// A hostile client on the control channel: every row of the memif contract's §7.1. An honest pair on the same listener
// forwards throughout, and after every attack an honest client can still connect.
#include <doctest/doctest.h>

#include <thread>

#include "fixture.hpp"
#include "raw_client.hpp"
#include "support/process_counts.hpp"

namespace crosswire {
namespace {

using memif::AddRing;
using memif::MessageType;
using test::Bytes;
using test::MemifPair;
using test::RawClient;
using test::SocketDirectory;
using test::until;

// The victim is id 0, the honest pair id 1.
struct Stage {
  explicit Stage(const std::function<void(memif::Options&)>& adjust = {}, memif::Limits limits = {})
      : service(limits),
        socket(directory.file("a.sock")),
        honest(service, socket, [](auto& server, auto& client) { server.id = client.id = 1; }) {
    memif::Options options{.name = "victim", .socket = socket};
    if (adjust) adjust(options);
    link = std::make_unique<memif::MemifLink>(options, service);
    REQUIRE(honest.connect());
    REQUIRE(link->open());
    descriptors = test::open_descriptors();
  }

  // Other peers were not affected, nothing leaked, and after the back-off the id is available again.
  ~Stage() {
    CHECK(eventually([&] { return test::open_descriptors() == descriptors; }));
    CHECK(honest.client->send({Bytes(60, 7)}).taken == 1);
    CHECK(until([&] { return honest.server->got.size() == 1; }, {honest.server.get()}));
    for (int attempt = 0;; attempt++) {
      RawClient client(socket);
      client.send(RawClient::init());
      if (client.next_type() == MessageType::ack) break;
      REQUIRE(attempt < 1000);
      ::poll(nullptr, 0, 5);
    }
  }

  bool eventually(const std::function<bool()>& holds) { return until(holds, {honest.server.get()}); }

  const SocketDirectory directory;
  memif::Service service;
  std::string socket;
  MemifPair honest;
  std::unique_ptr<memif::MemifLink> link;
  size_t descriptors = 0;
};

TEST_CASE("memif hostile control: records of a wrong size, type or order") {
  Stage stage;
  const auto refused = [&](const std::function<void(RawClient&)>& attack, const char* why) {
    RawClient client(stage.socket);
    attack(client);
    CHECK(client.refusal() == why);
  };
  const memif::Message init = RawClient::init(99);
  const auto bare = [](MessageType type) { return memif::encode(type); };
  refused([&](auto& c) { c.send(init.data(), 127); }, "a message of wrong size");
  refused([&](auto& c) { c.send(init.data(), 1); }, "a message of wrong size");
  refused(
      [&](auto& c) {
        const std::array<uint8_t, 129> big{};
        c.send(big.data(), big.size());
      },
      "a message of wrong size");
  refused(
      [&](auto& c) {
        const std::array<uint8_t, 4000> big{};
        c.send(big.data(), big.size());
      },
      "a message of wrong size");
  for (uint16_t type : {0, 1, 2, 6, 7, 9, 0x0300, 0xffff}) {
    refused([&](auto& c) { c.send(bare(MessageType(type))); }, "a message out of order");
  }
  refused([&](auto& c) { c.send(bare(MessageType::disconnect)); }, "");
  memif::Init old{};
  old.version = 0x0100;
  refused([&](auto& c) { c.send(memif::encode(MessageType::init, old)); }, "unsupported version");
}

TEST_CASE("memif hostile control: messages out of order after INIT") {
  using Attack = void (*)(RawClient&);
  const Attack attacks[] = {
      [](RawClient& c) {
        c.say_init();
        c.send(RawClient::init());
      },
      [](RawClient& c) {
        c.say_init();
        c.send(memif::encode(MessageType::connect));
      },
      [](RawClient& c) {
        c.say_init();
        c.send(RawClient::ring(c.ring_body(true)), {c.fd.get()});
      },
      [](RawClient& c) {
        c.say_init();
        c.say_region();
        c.say_rings();
        c.send(RawClient::region(1, 4096), {c.file.get()});
      },
      [](RawClient& c) {
        c.shake_hands();
        c.send(memif::encode(MessageType::connect));
      },
      [](RawClient& c) {
        c.shake_hands();
        c.send(RawClient::ring(c.ring_body(true)), {c.events[0].get()});
      },
      [](RawClient& c) {
        c.shake_hands();
        c.send(RawClient::region(1, 4096), {c.file.get()});
      },
      [](RawClient& c) {
        c.shake_hands();
        c.send(RawClient::init());
      },
  };
  for (const Attack attack : attacks) {
    Stage stage;
    RawClient client(stage.socket);
    attack(client);
    CHECK(client.refusal() == "a message out of order");
    CHECK(stage.eventually([&] { return stage.link->state().refused == 1; }));
    test::Player(*stage.link).turn();  // the worker lets go of a session it may have seen
  }
}

TEST_CASE("memif hostile control: descriptors where none belong, too many, or none") {
  for (const size_t count : {1, 2, 253}) {
    Stage stage;
    RawClient client(stage.socket);
    client.send(RawClient::init(), std::vector<int>(count, client.fd.get()));
    CHECK(client.refusal() == "a message with a wrong number of file descriptors");
  }
  for (const size_t count : {0, 2, 253}) {
    Stage stage;
    RawClient client(stage.socket);
    client.say_init();
    client.make_memory();
    client.send(RawClient::region(0, client.size), std::vector<int>(count, client.file.get()));
    CHECK(client.refusal() == "a message with a wrong number of file descriptors");
  }
  Stage stage;
  RawClient client(stage.socket);
  client.say_init();
  client.say_region();
  client.send(RawClient::ring(client.ring_body(true)));
  CHECK(client.refusal() == "a message with a wrong number of file descriptors");
}

TEST_CASE("memif hostile control: rings that are not where they say") {
  const auto with = [](const std::function<void(AddRing&)>& change, const char* why) {
    Stage stage;
    RawClient client(stage.socket);
    client.say_init();
    client.say_region();
    AddRing body = client.ring_body(true);
    change(body);
    client.send(RawClient::ring(body), {client.events[0].get()});
    CHECK(client.refusal() == why);
  };
  with([](AddRing& r) { r.index = 1; }, "a ring out of order");
  with([](AddRing& r) { r.index = 0xffff; }, "a ring out of order");
  with([](AddRing& r) { r.private_header_size = 8; }, "a private header, which is not supported");
  with([](AddRing& r) { r.log2_ring_size = 15; }, "a ring too large");
  with([](AddRing& r) { r.log2_ring_size = 255; }, "a ring too large");
  with([](AddRing& r) { r.region = 1; }, "a ring in an unknown memory region");
  with([](AddRing& r) { r.region = 0xffff; }, "a ring in an unknown memory region");
  with([](AddRing& r) { r.offset = 8; }, "a ring out of alignment");
  with([](AddRing& r) { r.offset = 1 << 20; }, "a ring outside its memory region");
  with([](AddRing& r) { r.offset = (1 << 20) - 128; }, "a ring outside its memory region");
  with([](AddRing& r) { r.offset = 0xfffffff0; }, "a ring outside its memory region");

  Stage stage;
  RawClient client(stage.socket);
  client.say_init();
  client.say_region();
  for (uint16_t index = 0; index < memif::max_rings; index++) {
    AddRing body = client.ring_body(true);
    body.index = index;
    client.send(RawClient::ring(body), {client.events[0].get()});
    REQUIRE(client.next_type() == MessageType::ack);
  }
  AddRing body = client.ring_body(true);
  body.index = memif::max_rings;
  client.send(RawClient::ring(body), {client.events[0].get()});
  CHECK(client.refusal() == "more rings than announced");
}

TEST_CASE("memif hostile control: eventfds that are something else") {
  int pipe_ends[2];
  REQUIRE(::pipe2(pipe_ends, O_CLOEXEC) == 0);
  const os::Fd reader(pipe_ends[0]), writer(pipe_ends[1]);
  const os::Fd terminal(::open("/dev/null", O_RDWR | O_CLOEXEC));
  const os::Fd trick(::open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  for (const os::Fd* fake : {&writer, &terminal, &trick}) {
    Stage stage;
    RawClient client(stage.socket);
    client.say_init();
    client.say_region();
    client.send(RawClient::ring(client.ring_body(true)), {fake->get()});
    CHECK(client.refusal() == "a ring without an eventfd");
  }
}

TEST_CASE("memif hostile control: CONNECT without rings, or without cookies") {
  {
    Stage stage;
    RawClient client(stage.socket);
    client.say_init();
    client.say_region();
    client.send(RawClient::ring(client.ring_body(true)), {client.events[0].get()});
    REQUIRE(client.next_type() == MessageType::ack);
    client.send(memif::encode(MessageType::connect));
    CHECK(client.refusal() == "no rings");
  }
  for (const int number : {0, 1}) {
    Stage stage;
    RawClient client(stage.socket);
    client.say_init();
    client.say_region();
    client.say_rings();
    client.header(number).cookie++;
    client.send(memif::encode(MessageType::connect));
    CHECK(client.refusal() == "a ring without its cookie");
  }
}

TEST_CASE("memif hostile control: a peer that falls silent loses its place, and the id is not blocked before INIT") {
  memif::Limits hasty;
  hasty.step_ns = 100'000'000;
  Stage stage({}, hasty);
  RawClient before_init(stage.socket);
  RawClient after_init(stage.socket);
  after_init.say_init();
  CHECK(before_init.refusal() == "the handshake took too long");
  CHECK(after_init.refusal() == "the handshake took too long");
}

TEST_CASE("memif hostile control: pending connections are limited, the oldest goes first") {
  memif::Limits few;
  few.pending_connections = 4;
  Stage stage({}, few);
  std::vector<std::unique_ptr<RawClient>> crowd;
  for (int i = 0; i < 5; i++) crowd.push_back(std::make_unique<RawClient>(stage.socket));
  CHECK(crowd[0]->refusal() == "too many connections");
  crowd[4]->say_init();
  crowd.clear();
  REQUIRE(stage.eventually([&] { return test::open_descriptors() == stage.descriptors; }));
}

TEST_CASE("memif hostile control: names are cleaned before anyone reads them") {
  Stage stage;
  RawClient client(stage.socket);
  client.shake_hands();
  REQUIRE(stage.eventually([&] { return stage.link->state().up; }));
  CHECK(stage.link->state().peer == "raw?[31m");
  memif::Disconnect rude{};
  std::memset(rude.text, 'x', sizeof rude.text);  // no NUL
  rude.text[0] = '\n';
  client.send(memif::encode(MessageType::disconnect, rude));
  CHECK(client.refusal().empty());
  REQUIRE(stage.eventually([&] { return !stage.link->state().up; }));
  CHECK(stage.link->state().detail == "disconnected by peer: ?" + std::string(95, 'x'));
  test::Player(*stage.link).turn();
}

}  // namespace
}  // namespace crosswire

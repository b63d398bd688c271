// SPDX-License-Identifier: Apache-2.0
// Who may connect to whom, how often, and what is left behind.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>

#include "fixture.hpp"
#include "raw_client.hpp"
#include "support/process_counts.hpp"

namespace crosswire {
namespace {

using test::MemifPair;
using test::Player;
using test::RawClient;
using test::SocketDirectory;
using test::until;

memif::Options server_options(const std::string& socket, uint32_t id = 0) {
  return {.name = "server", .socket = socket, .role = memif::Role::server, .id = id};
}

TEST_CASE("memif: a secret must match") {
  const SocketDirectory directory;
  MemifPair right(directory.file("a.sock"),
                  [](auto& server, auto& client) { server.secret = client.secret = "twenty-three characters"; });
  CHECK(right.connect());
  MemifPair wrong(directory.file("b.sock"), [](auto& server, auto& client) {
    server.secret = "right";
    client.secret = "wrong";
  });
  REQUIRE(wrong.server_link->open());
  REQUIRE(wrong.client_link->open());
  REQUIRE(until([&] { return wrong.server_link->state().refused > 0; }, {wrong.server.get(), wrong.client.get()}));
  CHECK(wrong.server_link->state().detail == "refused a client: incorrect secret");
  REQUIRE(until([&] { return wrong.client_link->state().detail == "disconnected by peer: incorrect secret"; },
                {wrong.server.get(), wrong.client.get()}));
}

TEST_CASE("memif: a mode mismatch and an unknown id are refused by name") {
  const SocketDirectory directory;
  memif::Service service;
  memif::MemifLink link(server_options(directory.file("a.sock"), 7), service);
  REQUIRE(link.open());
  RawClient other_mode(directory.file("a.sock"));
  other_mode.send(RawClient::init(7, "", 1));
  CHECK(other_mode.refusal() == "mode mismatch");
  RawClient other_id(directory.file("a.sock"));
  other_id.send(RawClient::init(8));
  CHECK(other_id.refusal() == "unknown interface id");
}

TEST_CASE("memif: several ids share a listener, and an id has one owner") {
  const SocketDirectory directory;
  memif::Service service;
  const std::string socket = directory.file("a.sock");
  std::vector<std::unique_ptr<MemifPair>> pairs;
  for (uint32_t id = 0; id < 5; id++) {
    pairs.push_back(
        std::make_unique<MemifPair>(service, socket, [&](auto& server, auto& client) { server.id = client.id = id; }));
    REQUIRE(pairs.back()->connect());
  }
  for (uint8_t id = 0; id < 5; id++) REQUIRE(pairs[id]->client->send({test::Bytes(60, id)}).taken == 1);
  for (uint8_t id = 0; id < 5; id++) {
    REQUIRE(until([&] { return !pairs[id]->server->got.empty(); }, {pairs[id]->server.get()}));
    CHECK(pairs[id]->server->got[0] == test::Bytes(60, id));
  }
  memif::MemifLink again(server_options(socket, 3), service);
  const auto opened = again.open();
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == "MEMIF_ID_TAKEN");
  RawClient late(socket);
  late.send(RawClient::init(3));
  CHECK(late.refusal() == "already connected");
  pairs[3].reset();
  CHECK(again.open());
}

TEST_CASE("memif: what is wrong with a socket path is said") {
  const SocketDirectory directory;
  memif::Service service, other;
  const auto code = [&](const std::string& socket) {
    memif::MemifLink link(server_options(socket), service);
    const auto opened = link.open();
    return opened ? std::string() : opened.error().code;
  };
  CHECK(code("relative.sock") == "MEMIF_OPTION");
  CHECK(code("/" + std::string(107, 'x')) == "MEMIF_OPTION");
  CHECK(code(directory.file("missing/a.sock")) == "SOCKET_PATH");
  std::ofstream(directory.file("file")) << "precious";
  CHECK(code(directory.file("file")) == "SOCKET_PATH");
  CHECK(std::filesystem::file_size(directory.file("file")) == 8);

  memif::MemifLink owner(server_options(directory.file("busy.sock")), other);
  REQUIRE(owner.open());
  CHECK(code(directory.file("busy.sock")) == "SOCKET_BUSY");
  CHECK_FALSE(owner.state().refused);  // asking did not disturb it
}

TEST_CASE("memif: a stale socket file is replaced, ours is removed, another's is not") {
  const SocketDirectory directory;
  const std::string socket = directory.file("a.sock");
  const auto bind_and_leave = [&] {
    const os::Fd stale(::socket(AF_UNIX, SOCK_SEQPACKET, 0));
    const sockaddr_un address = test::socket_address(socket);
    REQUIRE(::bind(stale.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  };
  bind_and_leave();
  memif::Service service;
  memif::MemifLink link(server_options(socket), service);
  REQUIRE(link.open());
  link.close();
  CHECK_FALSE(std::filesystem::exists(socket));
  REQUIRE(link.open());
  std::filesystem::remove(socket);
  bind_and_leave();
  link.close();
  CHECK(std::filesystem::exists(socket));
}

TEST_CASE("memif: either side may go and come back") {
  const SocketDirectory directory;
  MemifPair pair(directory.file("a.sock"));
  REQUIRE(pair.connect());
  pair.server_link->close();
  REQUIRE(until([&] { return !pair.client_link->state().up; }, {pair.client.get()}));
  CHECK(pair.client->send({test::Bytes(60, 1)}).reason == DropReason::link_down);
  REQUIRE(pair.server_link->open());
  REQUIRE(pair.settle());
  pair.client_link->close();
  REQUIRE(until([&] { return !pair.server_link->state().up; }, {pair.server.get()}));
  CHECK(pair.server_link->state().detail == "disconnected by peer: interface deleted");
  REQUIRE(pair.client_link->open());
  REQUIRE(pair.settle());
  CHECK(pair.server_link->state().sessions == 3);
  CHECK(pair.client_link->state().sessions == 3);
}

TEST_CASE("memif: a thousand sessions leave no descriptor and no mapping behind") {
  const SocketDirectory directory;
  memif::Service service;
  MemifPair pair(service, directory.file("a.sock"), [](auto&, auto& client) { client.ring_size = 16; });
  REQUIRE(pair.connect());
  const auto cycle = [&] {
    pair.client_link->close();
    REQUIRE(until([&] { return !pair.server_link->state().up; }, {pair.server.get()}));
    REQUIRE(pair.client_link->open());
    REQUIRE(pair.settle());
  };
  // One mapping on each side; an earlier session's may take the control thread a moment to remove.
  const auto settled = [&] { return test::memory_mappings("memfd:crosswire-memif") == 2; };
  const std::vector<Player*> players{pair.server.get(), pair.client.get()};
  for (int i = 0; i < 10; i++) cycle();
  REQUIRE(until(settled, players));
  const size_t descriptors = test::open_descriptors();
  for (int i = 0; i < 1000; i++) cycle();
  CHECK(until(settled, players));
  CHECK(test::open_descriptors() == descriptors);
}

TEST_CASE("memif: sessions that no worker ever looked at are cleaned up as well") {
  const SocketDirectory directory;
  memif::Service service;
  MemifPair warm_up(service, directory.file("w.sock"));
  REQUIRE(warm_up.connect());
  const size_t descriptors = test::open_descriptors();
  {
    memif::MemifLink link(server_options(directory.file("a.sock")), service);
    REQUIRE(link.open());
    for (int i = 0; i < 3; i++) {
      RawClient client(directory.file("a.sock"));
      client.shake_hands();
      if (i == 0) continue;  // leaves by closing, before a worker took the session
      client.send(memif::encode(memif::MessageType::ack));
      CHECK(client.refusal() == "a message out of order");
      // Back-off after a violation: the next is told to wait.
      RawClient early(directory.file("a.sock"));
      early.send(RawClient::init());
      CHECK(early.refusal() == "too many connections, try again later");
      break;
    }
  }
  CHECK(until([&] { return test::open_descriptors() == descriptors; }, {warm_up.server.get()}));
}

}  // namespace
}  // namespace crosswire

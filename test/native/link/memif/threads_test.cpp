// SPDX-License-Identifier: Apache-2.0
// Workers, the control thread and the notifier at once; meant for ThreadSanitizer.
#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "fixture.hpp"

namespace crosswire {
namespace {

using test::Bytes;
using test::MemifPair;
using test::Player;
using test::SocketDirectory;

// Sleeps whenever nothing waits and `also` has nothing more to do. (Nobody signals room in a ring.)
void work(Player& player, std::atomic<bool>& stop, const std::function<bool(Player&)>& also) {
  while (!stop.load()) {
    const bool busy = also(player);
    if (player.turn() > 0 || busy) continue;
    if (!player.link.arm()) {
      pollfd fd{player.link.poll_fd(), POLLIN, 0};
      ::poll(&fd, 1, 5);
    }
    player.link.disarm();
  }
}

TEST_CASE("memif threads: every frame arrives once and in order between two workers that sleep") {
  const SocketDirectory directory;
  MemifPair pair(directory.file("a.sock"), [](auto&, auto& client) { client.ring_size = 64; });
  REQUIRE(pair.connect());
  constexpr uint32_t count = 20000;
  std::atomic<bool> stop{false};
  std::atomic<uint32_t> received{0};
  std::thread receiver([&] {
    work(*pair.server, stop, [&](Player& player) {
      received.store(static_cast<uint32_t>(player.got.size()));
      return false;
    });
  });
  std::thread sender([&] {
    uint32_t next = 0;
    work(*pair.client, stop, [&](Player& player) {
      std::vector<Bytes> some;
      for (uint32_t i = next; i < count && some.size() < 17; i++) some.push_back(test::numbered(i, 60 + i % 3000));
      if (!some.empty()) next += player.send(some).taken;
      return next < count;
    });
  });
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(120);
  while (received.load() < count && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  stop.store(true);
  receiver.join();
  sender.join();
  REQUIRE(pair.server->got.size() == count);
  for (uint32_t i = 0; i < count; i++) REQUIRE(pair.server->got[i] == test::numbered(i, 60 + i % 3000));
}

TEST_CASE("memif threads: the peer comes and goes while a worker forwards") {
  const SocketDirectory directory;
  MemifPair pair(directory.file("a.sock"), [](auto&, auto& client) { client.ring_size = 64; });
  REQUIRE(pair.connect());
  std::atomic<bool> stop{false};
  std::thread server([&] {
    work(*pair.server, stop, [](Player& player) {
      player.send({Bytes(60, 1), Bytes(3000, 2)});
      player.got.clear();
      return false;
    });
  });
  for (int cycle = 0; cycle < 40; cycle++) {
    pair.client_link->close();
    REQUIRE(pair.client_link->open());
    pair.client->got.clear();
    REQUIRE(test::until([&] { return pair.client->send({Bytes(60, 1)}).taken == 1 && !pair.client->got.empty(); },
                        {pair.client.get()}));
  }
  stop.store(true);
  server.join();
  CHECK(pair.server_link->state().refused == 0);
}

}  // namespace
}  // namespace crosswire

// SPDX-License-Identifier: Apache-2.0
// Two memif links of one process; the test plays the worker of each.
#pragma once

#include <doctest/doctest.h>
#include <poll.h>
#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "link/memif/memif_link.hpp"

namespace crosswire::test {

using Bytes = std::vector<uint8_t>;

class SocketDirectory {
 public:
  SocketDirectory() {
    char name[] = "/tmp/crosswire-memif-XXXXXX";
    path_ = ::mkdtemp(name);
  }
  ~SocketDirectory() { std::filesystem::remove_all(path_); }
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// A frame with its number in every byte after the header.
inline Bytes numbered(uint32_t number, size_t length) {
  Bytes bytes(length);
  for (size_t i = 0; i < length; i++) bytes[i] = static_cast<uint8_t>(number * 31 + i * 7 + (i >> 8));
  return bytes;
}

struct Player {
  explicit Player(Link& which) : link(which) {}

  Link& link;
  std::unique_ptr<Burst> burst = std::make_unique<Burst>();
  std::vector<Bytes> got;
  std::array<uint64_t, drop_reason_count> dropped{};

  // One turn of a worker: copies out and gives back whatever waits.
  uint32_t turn() {
    burst->clear();
    link.receive(*burst);
    for (uint32_t i = 0; i < burst->count; i++) {
      const Frame& frame = burst->frames[i];
      Bytes bytes(frame.data, frame.data + frame.head_length);
      for (const Segment& piece : burst->more_of(frame))
        bytes.insert(bytes.end(), piece.data, piece.data + piece.length);
      CHECK(bytes.size() == frame.length);
      got.push_back(std::move(bytes));
    }
    for (size_t i = 0; i < drop_reason_count; i++) dropped[i] += burst->dropped[i];
    link.release();
    return burst->count;
  }

  // Frames cut into pieces of at most `cut` bytes.
  Transmitted send(const std::vector<Bytes>& frames, uint32_t cut = UINT32_MAX) {
    auto out = std::make_unique<Burst>();
    for (const Bytes& bytes : frames) {
      Frame frame{bytes.data(), static_cast<uint32_t>(std::min<size_t>(bytes.size(), cut)),
                  static_cast<uint32_t>(bytes.size()), 0, static_cast<uint16_t>(out->segment_count)};
      for (size_t at = frame.head_length; at < bytes.size(); at += cut) {
        out->segments[out->segment_count++] = {bytes.data() + at,
                                               static_cast<uint32_t>(std::min<size_t>(cut, bytes.size() - at))};
        frame.more++;
      }
      out->frames[out->count++] = frame;
    }
    return link.transmit(*out, 0, out->count);
  }

  uint64_t drops(DropReason reason) const { return dropped[static_cast<size_t>(reason)]; }
};

// Lets workers take turns until the condition holds, for at most ten seconds; waits for the links in between.
inline bool until(const std::function<bool()>& holds, const std::vector<Player*>& players) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    bool waiting = false;
    std::vector<pollfd> fds;
    for (Player* player : players) {
      waiting |= player->turn() > 0;
      waiting |= player->link.arm();
      fds.push_back({player->link.poll_fd(), POLLIN, 0});
    }
    ::poll(fds.data(), fds.size(), waiting ? 0 : 5);
    for (Player* player : players) player->link.disarm();
  }
  return true;
}

struct MemifPair {
  explicit MemifPair(const std::string& socket,
                     const std::function<void(memif::Options&, memif::Options&)>& adjust = {})
      : MemifPair(std::make_unique<memif::Service>(), socket, adjust) {}

  MemifPair(std::unique_ptr<memif::Service> own, const std::string& socket,
            const std::function<void(memif::Options&, memif::Options&)>& adjust)
      : MemifPair(*own, socket, adjust) {
    service = std::move(own);
  }

  MemifPair(memif::Service& shared, const std::string& socket,
            const std::function<void(memif::Options&, memif::Options&)>& adjust = {}) {
    memif::Options ours{.name = "server-end", .socket = socket, .role = memif::Role::server};
    memif::Options theirs{.name = "client-end", .socket = socket, .role = memif::Role::client};
    if (adjust) adjust(ours, theirs);
    server_link = std::make_unique<memif::MemifLink>(ours, shared);
    client_link = std::make_unique<memif::MemifLink>(theirs, shared);
    server = std::make_unique<Player>(*server_link);
    client = std::make_unique<Player>(*client_link);
  }

  // Open, connected, and adopted by both players: a frame has gone each way.
  bool connect() {
    REQUIRE(server_link->open());
    REQUIRE(client_link->open());
    return settle();
  }
  bool settle() {
    const Bytes hello(60, 0xee);
    bool there = false, back = false;
    const bool ok = until(
        [&] {
          there = there || client->send({hello}).taken == 1;
          back = back || server->send({hello}).taken == 1;
          return there && back && !server->got.empty() && !client->got.empty();
        },
        {server.get(), client.get()});
    server->got.clear();
    client->got.clear();
    return ok;
  }

  std::unique_ptr<memif::Service> service;  // destroyed last
  std::unique_ptr<memif::MemifLink> server_link, client_link;
  std::unique_ptr<Player> server, client;
};

}  // namespace crosswire::test

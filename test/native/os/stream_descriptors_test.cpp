// SPDX-License-Identifier: Apache-2.0
// Descriptors across a bridge: on any byte, many, duplicate, hostile; and none is leaked.
#include <doctest/doctest.h>

#include <atomic>
#include <cstring>
#include <thread>

#include "stream_sockets_fixture.hpp"

namespace crosswire {
namespace {

using test::Accepted;
using test::open_descriptors;
using test::read_some;
using test::write_all;

std::string url_of(const std::string& path) {
  struct stat status {};
  ::stat(path.c_str(), &status);
  return "inode://" + std::to_string(status.st_dev) + "/" + std::to_string(status.st_ino);
}

os::Fd path_descriptor(const std::string& path) { return os::Fd(::open(path.c_str(), O_PATH | O_CLOEXEC)); }

// Descriptors that one sendmsg(2) carries, with one byte.
void send_many(int socket, const std::vector<os::Fd>& fds) {
  std::vector<char> control(CMSG_SPACE(fds.size() * sizeof(int)));
  char byte = 'x';
  iovec data{&byte, 1};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
  for (size_t i = 0; i < fds.size(); i++) {
    const int fd = fds[i].get();
    std::memcpy(CMSG_DATA(header) + i * sizeof fd, &fd, sizeof fd);
  }
  CHECK(::sendmsg(socket, &message, MSG_NOSIGNAL) == 1);
}

TEST_CASE("stream descriptors: received on any byte, kept by inode, handed out as duplicates") {
  Accepted pair;
  std::string expected;
  for (size_t i = 0; i < 20; i++) {
    const std::string before(i * 7, 'a');
    const std::string after(i, 'b');
    REQUIRE((before.empty() || write_all(pair.peer.get(), before)));
    REQUIRE(write_all(pair.peer.get(), "!" + after, path_descriptor(pair.directory.file(i)).get()));
    expected += before + "!" + after;
  }
  CHECK(read_some(pair.inner.get(), expected.size()).text == expected);
  for (size_t i = 0; i < 20; i++) {
    const std::string url = url_of(pair.directory.file(i));
    auto first = pair.sockets.received(pair.id, url);
    auto second = pair.sockets.received(pair.id, url);
    REQUIRE((first && second));
    CHECK(first.value().get() != second.value().get());
    CHECK(url_of("/proc/self/fd/" + std::to_string(first.value().get())) == url);
    CHECK((::fcntl(first.value().get(), F_GETFD) & FD_CLOEXEC) != 0);
  }
  auto absent = pair.sockets.received(pair.id, "inode://1/2");
  REQUIRE(absent);
  CHECK_FALSE(absent.value());
}

TEST_CASE("stream descriptors: sent by path, one with a byte each, before what is written next") {
  Accepted pair;
  std::vector<std::string> urls;
  for (size_t i = 0; i < 5; i++) {
    auto url = pair.sockets.send(pair.id, pair.directory.file(i));
    REQUIRE(url);
    CHECK(url.value() == url_of(pair.directory.file(i)));
    urls.push_back(url.value());
  }
  CHECK(pair.sockets.send(pair.id, "/nowhere/at/all").error().code == "FILE_NOT_OPENED");
  REQUIRE(write_all(pair.inner.get(), "abc"));  // fewer bytes than descriptors: the rest goes with the next
  auto first = read_some(pair.peer.get(), 3);
  CHECK(first.text == "abc");
  CHECK(first.fds.size() == 3);
  REQUIRE(write_all(pair.inner.get(), "defgh"));
  auto second = read_some(pair.peer.get(), 5);
  CHECK(second.text == "defgh");
  REQUIRE(second.fds.size() == 2);
  CHECK(os::inode_url(first.fds[0].get()) == urls[0]);
  CHECK(os::inode_url(second.fds[1].get()) == urls[4]);
  CHECK((::fcntl(first.fds[0].get(), F_GETFL) & O_PATH) != 0);
}

TEST_CASE("stream descriptors: a peer's inode is not to be had over another connection") {
  Accepted pair;
  const os::ConnectionId first = pair.id;
  const os::Fd peer = std::move(pair.peer);
  const os::Fd inner = std::move(pair.inner);
  pair.connect();
  const std::string file = pair.directory.file(0);
  REQUIRE(write_all(peer.get(), "!", path_descriptor(file).get()));
  read_some(inner.get(), 1);
  CHECK(pair.sockets.received(first, url_of(file)).value());
  CHECK_FALSE(pair.sockets.received(pair.id, url_of(file)).value());
}

TEST_CASE("stream descriptors: doubles are closed, and a thousand rounds leave no descriptor") {
  Accepted pair;
  const std::string file = pair.directory.file(0);
  const size_t before = open_descriptors();
  for (int round = 0; round < 1000; round++) {
    REQUIRE(write_all(pair.peer.get(), "!", path_descriptor(file).get()));
    REQUIRE(read_some(pair.inner.get(), 1).text == "!");
    REQUIRE(pair.sockets.received(pair.id, url_of(file)).value());
    REQUIRE(pair.sockets.send(pair.id, file));
    REQUIRE(write_all(pair.inner.get(), "?"));
    REQUIRE(read_some(pair.peer.get(), 1).fds.size() == 1);
  }
  CHECK(open_descriptors() == before + 1);  // the one in the table
  CHECK(pair.told.wait([&] { return pair.told.files.count(url_of(file)) == 1; }));
}

TEST_CASE("stream descriptors: a peer that sends thousands is put out, and takes nothing along") {
  Accepted pair;
  const size_t before = open_descriptors();
  size_t sent = 0;
  while (sent < 5000) {
    const os::Fd fd = path_descriptor(pair.directory.file(sent++));
    if (!write_all(pair.peer.get(), "!", fd.get())) break;
    char byte = 0;
    [[maybe_unused]] const ssize_t length = ::recv(pair.inner.get(), &byte, 1, MSG_DONTWAIT);
  }
  std::string reason;
  REQUIRE(pair.ended(&reason));
  CHECK(reason.find("more descriptors") != std::string::npos);
  CHECK(sent > os::SocketBridge::most_descriptors);
  CHECK(open_descriptors() + 2 == before);  // both ends on our side of the bridge are closed

  pair.connect();
  REQUIRE(write_all(pair.peer.get(), "others go on"));
  CHECK(read_some(pair.inner.get(), 12).text == "others go on");
}

TEST_CASE("stream descriptors: more at once than there is room for ends the connection") {
  Accepted pair;
  std::vector<os::Fd> fds;
  for (size_t i = 0; i < 100; i++) fds.push_back(path_descriptor(pair.directory.file(i)));
  const size_t before = open_descriptors();
  send_many(pair.peer.get(), fds);
  std::string reason;
  REQUIRE(pair.ended(&reason));
  CHECK(reason.find("too many at once") != std::string::npos);
  CHECK(open_descriptors() + 2 == before);
}

TEST_CASE("stream descriptors: those of a connection go with it, also the queued ones") {
  Accepted pair;
  const size_t before = open_descriptors();
  for (int round = 0; round < 50; round++) {
    pair.connect();
    REQUIRE(write_all(pair.peer.get(), "!", path_descriptor(pair.directory.file(1)).get()));
    REQUIRE(pair.sockets.send(pair.id, pair.directory.file(2)));
    if (round % 2 == 0) {
      pair.peer.reset();
      read_some(pair.inner.get(), 2);
      pair.inner.reset();
    } else {
      pair.inner.reset();
    }
    REQUIRE(pair.ended());
    pair.peer.reset();
  }
  CHECK(open_descriptors() + 4 == before);  // the first connection of the fixture went too
}

TEST_CASE("stream descriptors: many connections, senders and takers at once") {
  test::Directory directory;
  test::Told told;
  os::StreamSockets sockets(told.events());
  REQUIRE(sockets.listen(directory.socket()));
  const std::string file = directory.file(0);
  const std::string url = url_of(file);
  std::atomic<int> good{0};
  std::vector<std::thread> clients;
  for (int client = 0; client < 8; client++) {
    clients.emplace_back([&] {
      for (int round = 0; round < 20; round++) {
        auto dialled = sockets.dial(directory.socket());
        if (!dialled || !sockets.send(dialled.value().connection, file)) return;
        if (!write_all(dialled.value().inner.get(), "hello")) return;
        if (read_some(dialled.value().inner.get(), 5).text == "hello") good++;
      }
    });
  }
  for (int served = 0; served < 160; served++) {
    REQUIRE(told.wait([&] { return !told.accepted.empty(); }));
    const auto accepted = told.next();
    const auto heard = read_some(accepted.inner.get(), 5);
    auto fd = sockets.received(accepted.connection, url);
    CHECK((fd && fd.value()));
    write_all(accepted.inner.get(), heard.text);
  }
  for (auto& client : clients) client.join();
  CHECK(good == 160);
}

}  // namespace
}  // namespace crosswire

// SPDX-License-Identifier: Apache-2.0
// Bytes and their ends across a bridge, in both directions.
#include <doctest/doctest.h>

#include <thread>

#include "stream_sockets_fixture.hpp"

namespace crosswire {
namespace {

using test::Accepted;
using test::read_some;
using test::write_all;

std::string pattern(size_t length) {
  std::string text(length, '\0');
  for (size_t i = 0; i < length; i++) text[i] = static_cast<char>(i * 31 + (i >> 8));
  return text;
}

TEST_CASE("stream sockets: many megabytes both ways at once arrive whole and in order") {
  Accepted pair;
  REQUIRE(pair.inner);
  const std::string sent = pattern(8 << 20);
  std::thread up([&] { CHECK(write_all(pair.peer.get(), sent)); });
  std::thread down([&] { CHECK(write_all(pair.inner.get(), sent)); });
  std::thread peer([&] { CHECK(read_some(pair.peer.get(), sent.size()).text == sent); });
  CHECK(read_some(pair.inner.get(), sent.size()).text == sent);
  up.join();
  down.join();
  peer.join();
}

TEST_CASE("stream sockets: an end of one direction leaves the other open") {
  Accepted pair;
  REQUIRE(write_all(pair.peer.get(), "last words"));
  ::shutdown(pair.peer.get(), SHUT_WR);
  const auto heard = read_some(pair.inner.get(), 100);
  CHECK(heard.text == "last words");
  CHECK(heard.ended);
  REQUIRE(write_all(pair.inner.get(), "answer"));
  CHECK(read_some(pair.peer.get(), 6).text == "answer");
  ::shutdown(pair.inner.get(), SHUT_WR);
  CHECK(read_some(pair.peer.get(), 1).ended);
  std::string reason = "?";
  REQUIRE(pair.ended(&reason));
  CHECK(reason == "");
}

TEST_CASE("stream sockets: what was written before the holder closed still arrives") {
  Accepted pair;
  const std::string text = pattern(100'000);
  REQUIRE(write_all(pair.inner.get(), text));
  pair.inner.reset();
  const auto heard = read_some(pair.peer.get(), text.size() + 1);
  CHECK(heard.text == text);
  CHECK(heard.ended);
  CHECK(pair.ended());
}

TEST_CASE("stream sockets: a peer that dies in the middle ends the connection") {
  Accepted pair;
  REQUIRE(write_all(pair.peer.get(), "half a mess"));
  REQUIRE(write_all(pair.inner.get(), "never read"));
  pair.peer.reset();
  CHECK(read_some(pair.inner.get(), 100).ended);
  pair.inner.reset();
  CHECK(pair.ended());
}

// Socket buffers and one pending read: what a writer can push towards a reader that never reads.
TEST_CASE("stream sockets: a reader that never reads stops its writer, and nobody else") {
  Accepted pair;
  const std::vector<uint8_t> chunk(65536);
  const auto push = [&](int socket) {
    size_t pushed = 0;
    for (pollfd asked{socket, POLLOUT, 0}; ::poll(&asked, 1, 200) == 1;) {
      const auto sent = os::send_bytes(socket, chunk);
      if (sent.flow == os::Flow::moved) pushed += sent.length;
      if (pushed > (64 << 20)) break;
    }
    return pushed;
  };
  CHECK(push(pair.inner.get()) < (4 << 20));
  CHECK(push(pair.peer.get()) < (4 << 20));

  const os::Fd stuck_peer = std::move(pair.peer);
  const os::Fd stuck_inner = std::move(pair.inner);
  pair.connect();
  REQUIRE(write_all(pair.peer.get(), "hello"));
  CHECK(read_some(pair.inner.get(), 5).text == "hello");
}

TEST_CASE("stream sockets: dialling, also by a descriptor of the socket file") {
  test::Directory directory;
  test::Told told;
  os::StreamSockets sockets(told.events());
  CHECK(sockets.dial(directory.socket()).error().code == "SOCKET_ABSENT");
  auto listener = sockets.listen(directory.socket());
  REQUIRE(listener);
  const os::Fd file(::open(directory.socket().c_str(), O_PATH | O_CLOEXEC));
  for (const std::string& path : {directory.socket(), "/proc/self/fd/" + std::to_string(file.get())}) {
    auto dialled = sockets.dial(path);
    REQUIRE(dialled);
    const auto accepted = told.next();
    REQUIRE(write_all(dialled.value().inner.get(), "ping"));
    CHECK(read_some(accepted.inner.get(), 4).text == "ping");
    REQUIRE(write_all(accepted.inner.get(), "pong"));
    CHECK(read_some(dialled.value().inner.get(), 4).text == "pong");
  }
  CHECK(sockets.listen(directory.socket()).error().code == "SOCKET_BUSY");
  sockets.close_listener(listener.value());
  CHECK(sockets.dial(directory.socket()).error().code == "SOCKET_ABSENT");
  CHECK_FALSE(std::filesystem::exists(directory.socket()));
}

TEST_CASE("stream sockets: closing ends everything, is for good and may be repeated") {
  const size_t before = test::open_descriptors();
  {
    Accepted pair;
    pair.sockets.close();
    pair.sockets.close();
    CHECK(read_some(pair.inner.get(), 1).ended);
    CHECK(read_some(pair.peer.get(), 1).ended);
    CHECK(pair.sockets.dial(pair.directory.socket()).error().code == "SOCKET_CLOSED");
    CHECK(pair.sockets.send(pair.id, "/").error().code == "SOCKET_CLOSED");
    CHECK(pair.sockets.received(pair.id, "inode://1/1").error().code == "SOCKET_CLOSED");
  }
  CHECK(test::open_descriptors() == before);
}

}  // namespace
}  // namespace crosswire

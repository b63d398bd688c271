// SPDX-License-Identifier: Apache-2.0
// Two applications, made of plain system calls, with a proxy between them:
//   client ──▶ front.sock [proxy] ──▶ back.sock server
#include "link/memif/proxy.hpp"

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "fixture.hpp"
#include "link/memif/service.hpp"
#include "os/seqpacket.hpp"
#include "support/process_counts.hpp"

namespace crosswire {
namespace {

using memif::MessageType;
using test::SocketDirectory;

struct Socket {
  os::Fd fd;

  bool send(std::span<const uint8_t> bytes, const std::vector<int>& fds = {}) const {
    iovec data{const_cast<uint8_t*>(bytes.data()), bytes.size()};
    std::vector<char> control(CMSG_SPACE(fds.size() * sizeof(int)));
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    if (!fds.empty()) {
      message.msg_control = control.data();
      message.msg_controllen = control.size();
      cmsghdr* header = CMSG_FIRSTHDR(&message);
      header->cmsg_level = SOL_SOCKET;
      header->cmsg_type = SCM_RIGHTS;
      header->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
      std::memcpy(CMSG_DATA(header), fds.data(), fds.size() * sizeof(int));
    }
    return ::sendmsg(fd.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
  }
  bool send(MessageType type, const std::vector<int>& fds = {}) const { return send(memif::encode(type), fds); }

  // Waits for something; the kind tells whether it was a record or the end.
  os::ReceivedRecord next() {
    pollfd ready{fd.get(), POLLIN, 0};
    REQUIRE(::poll(&ready, 1, 10'000) == 1);
    return os::receive_record(fd.get(), last);
  }
  bool closed() { return next().kind == os::ReceivedRecord::Kind::closed; }
  MessageType next_type() {
    return next().kind == os::ReceivedRecord::Kind::record ? memif::type_of(last) : MessageType::none;
  }

  memif::Message last{};
};

struct Stage {
  explicit Stage(memif::ProxyLimits limits = {}) : proxy({{front, ""}, {back, ""}}, limits) {
    auto listening = os::listen_unix(os::SocketType::records, back, 64);
    REQUIRE(listening);
    listener = std::move(listening).value();
    REQUIRE(service.open(proxy));
    descriptors = test::open_descriptors();
  }
  ~Stage() {
    CHECK(eventually([&] { return test::open_descriptors() == descriptors; }));
    service.close(proxy);
  }

  Socket connect() const {
    auto socket = os::connect_unix(os::SocketType::records, front);
    REQUIRE(socket);
    return {std::move(socket).value()};
  }
  Socket accept() const {
    pollfd ready{listener.fd.get(), POLLIN, 0};
    REQUIRE(::poll(&ready, 1, 10'000) == 1);
    return {os::accept_unix(listener.fd.get()).fd};
  }
  static bool eventually(const std::function<bool()>& holds) {
    for (int attempt = 0; attempt < 2000; attempt++) {
      if (holds()) return true;
      ::poll(nullptr, 0, 5);
    }
    return false;
  }

  const SocketDirectory directory;
  const std::string front = directory.file("front.sock");
  const std::string back = directory.file("back.sock");
  os::SocketListener listener;
  memif::Service service;
  memif::Proxy proxy;
  size_t descriptors = 0;
};

TEST_CASE("memif proxy: messages and descriptors go both ways, unchanged and in order; both sides close together") {
  Stage stage;
  auto client = stage.connect();
  auto server = stage.accept();
  CHECK(server.send(MessageType::hello));
  CHECK(client.next_type() == MessageType::hello);

  const os::Fd memory(::memfd_create("shared", MFD_CLOEXEC));
  struct stat mine {};
  REQUIRE(::fstat(memory.get(), &mine) == 0);
  auto message = memif::encode(MessageType::add_region, memif::AddRegion{3, 77});
  message.back() = 0xEE;
  CHECK(client.send(message, {memory.get()}));
  CHECK(client.send(MessageType::connect));
  const auto received = server.next();
  CHECK(server.last == message);
  REQUIRE(received.fds.size() == 1);
  struct stat theirs {};
  REQUIRE(::fstat(received.fds.front().get(), &theirs) == 0);
  CHECK(mine.st_ino == theirs.st_ino);
  CHECK(server.next_type() == MessageType::connect);

  CHECK_FALSE(stage.proxy.state()[0].up);
  CHECK(server.send(MessageType::connected));
  CHECK(client.next_type() == MessageType::connected);
  CHECK(stage.eventually([&] { return stage.proxy.state()[0].up && stage.proxy.state()[1].sessions == 1; }));

  CHECK(server.send(MessageType::disconnect));
  server.fd.reset();
  CHECK(client.next_type() == MessageType::disconnect);  // what was said before the end arrives
  CHECK(client.closed());
  CHECK(stage.eventually([&] { return !stage.proxy.state()[0].up; }));
}

TEST_CASE("memif proxy: a hostile side ends its own session and no other") {
  Stage stage({.messages = 200});
  auto good_client = stage.connect();
  auto good_server = stage.accept();
  CHECK(good_server.send(MessageType::connected));
  CHECK(good_client.next_type() == MessageType::connected);

  const auto ends = [&](bool by_client, const std::function<void(const Socket&)>& attack) {
    auto client = stage.connect();
    auto server = stage.accept();
    attack(by_client ? client : server);
    auto& victim = by_client ? server : client;
    while (!victim.closed()) {
    }
    CHECK((by_client ? client : server).closed());
  };
  for (const bool by_client : {true, false}) {
    ends(by_client, [](const Socket& socket) { socket.send(std::vector<uint8_t>(127)); });
    ends(by_client, [](const Socket& socket) { socket.send(std::vector<uint8_t>(129)); });
    ends(by_client, [](const Socket& socket) { socket.send(std::vector<uint8_t>(60'000)); });
    ends(by_client, [](const Socket& socket) {
      const int fd = socket.fd.get();
      socket.send(MessageType::add_ring, {fd, fd});
    });
    ends(by_client,
         [](const Socket& socket) { socket.send(MessageType::ack, std::vector<int>(253, socket.fd.get())); });
    ends(by_client, [](const Socket& socket) { ::shutdown(socket.fd.get(), SHUT_WR); });
    ends(by_client, [](const Socket& socket) {
      for (int i = 0; i < 100'000 && socket.send(MessageType::ack); i++) ::poll(nullptr, 0, i % 64 == 63 ? 1 : 0);
    });
  }
  CHECK(good_client.send(MessageType::ack));
  CHECK(good_server.next_type() == MessageType::ack);
  CHECK(stage.proxy.state()[0].up);
}

TEST_CASE("memif proxy: who does not read loses the session; sessions are few; without a server nobody stays") {
  Stage stage({.sessions = 2, .messages = 100'000});
  {
    auto client = stage.connect();
    auto server = stage.accept();
    CHECK(stage.eventually([&] { return !client.send(MessageType::ack); }));
    CHECK(stage.eventually([&] {
      client.send(MessageType::ack);
      return stage.proxy.state()[0].detail.find("did not take") != std::string::npos;
    }));
  }
  {
    auto one = stage.connect(), two = stage.connect(), three = stage.connect();
    CHECK(three.closed());
    CHECK(stage.proxy.state()[0].detail.find("too many sessions") != std::string::npos);
  }
  CHECK(stage.eventually([&] { return test::open_descriptors() == stage.descriptors; }));
  stage.descriptors--;
  os::remove_socket_file(stage.listener);
  stage.listener.fd.reset();
  auto client = stage.connect();
  CHECK(client.closed());
  CHECK(stage.proxy.state()[1].detail.find("connect to unix socket") != std::string::npos);
}

}  // namespace
}  // namespace crosswire

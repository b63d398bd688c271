// SPDX-License-Identifier: Apache-2.0
// Memory that its owner truncates, or that was never there (memif contract §7.1 and §7.3).
#include <doctest/doctest.h>
#include <sys/wait.h>

#include <fstream>

#include "fixture.hpp"
#include "os/memory_mapping.hpp"
#include "raw_client.hpp"
#include "support/process_counts.hpp"

namespace crosswire {
namespace {

using test::Bytes;
using test::MemifPair;
using test::Player;
using test::RawClient;
using test::SocketDirectory;
using test::until;

memif::Options victim_options(const SocketDirectory& directory, bool allow_unsealed = false) {
  return {.name = "victim", .socket = directory.file("a.sock"), .allow_unsealed = allow_unsealed};
}

void expect_refused_region(const std::function<os::Fd(RawClient&)>& make, const std::string& why) {
  const SocketDirectory directory;
  memif::Service service;
  memif::MemifLink link(victim_options(directory), service);
  REQUIRE(link.open());
  RawClient client(directory.file("a.sock"));
  client.say_init();
  client.make_memory();
  const os::Fd file = make(client);
  REQUIRE(file);
  client.send(RawClient::region(0, client.size), {file.get()});
  CHECK(client.refusal() == why);
}

os::Fd memfd(uint64_t size, unsigned seals) {
  os::Fd file(::memfd_create("raw", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  REQUIRE(::ftruncate(file.get(), off_t(size)) == 0);
  if (seals != 0) REQUIRE(::fcntl(file.get(), F_ADD_SEALS, seals) == 0);
  return file;
}

TEST_CASE("memif memory: files that are not memory, or not ours to trust") {
  const std::string prefix = "a memory region refused: ";
  expect_refused_region([](auto& c) { return memfd(c.size - 1, F_SEAL_SHRINK); },
                        prefix + "it is shorter than announced");
  expect_refused_region([](auto& c) { return memfd(c.size, F_SEAL_SEAL); },
                        prefix + "it is not sealed against shrinking (F_SEAL_SHRINK), and cannot be");
  expect_refused_region([](auto& c) { return memfd(c.size, F_SEAL_SHRINK | F_SEAL_WRITE); },
                        prefix + "it is sealed against writing");
  expect_refused_region([](auto& c) { return memfd(c.size, F_SEAL_SHRINK | F_SEAL_FUTURE_WRITE); },
                        prefix + "it is sealed against writing");
  const auto reopened = [](int flags) {
    return [flags](RawClient& c) {
      return os::Fd(::open(("/proc/self/fd/" + std::to_string(c.file.get())).c_str(), flags | O_CLOEXEC));
    };
  };
  expect_refused_region(reopened(O_RDONLY), prefix + "it is not open for writing");
  expect_refused_region(reopened(O_PATH), prefix + "it is not open for writing");
  const auto opened = [](const char* path, int flags) {
    return [=](RawClient&) { return os::Fd(::open(path, flags | O_CLOEXEC, 0600)); };
  };
  expect_refused_region(opened("/proc/self/mem", O_RDWR), prefix + "it is not on tmpfs or hugetlbfs");
  expect_refused_region([](auto&) { return os::Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)); },
                        prefix + "it is not on tmpfs or hugetlbfs");
}

TEST_CASE("memif memory: sizes and indices of regions") {
  const auto refused = [](uint16_t index, uint64_t size, const char* why) {
    const SocketDirectory directory;
    memif::Service service;
    memif::MemifLink link(victim_options(directory), service);
    REQUIRE(link.open());
    RawClient client(directory.file("a.sock"));
    client.say_init();
    client.make_memory();
    client.send(RawClient::region(index, size), {client.file.get()});
    CHECK(client.refusal() == why);
  };
  refused(1, 4096, "a memory region out of order");
  refused(0xffff, 4096, "a memory region out of order");
  refused(0, 0, "a memory region too large");
  refused(0, uint64_t{1} << 63, "a memory region too large");
  refused(0, UINT64_MAX, "a memory region too large");
  refused(0, (uint64_t{4} << 30) + 1, "a memory region too large");
  refused(0, uint64_t{4} << 30, "a memory region refused: it is shorter than announced");

  const SocketDirectory directory;
  memif::Service service;
  memif::MemifLink link(victim_options(directory), service);
  REQUIRE(link.open());
  RawClient client(directory.file("a.sock"));
  client.say_init();
  client.make_memory();
  for (uint16_t index = 0; index < memif::max_regions; index++) {
    client.send(RawClient::region(index, 5000), {client.file.get()});  // no multiple of a page is normal
    REQUIRE(client.next_type() == memif::MessageType::ack);
  }
  client.send(RawClient::region(memif::max_regions, 5000), {client.file.get()});
  CHECK(client.refusal() == "too many memory regions");
}

TEST_CASE("memif memory: an unsealed file is sealed by us") {
  const SocketDirectory directory;
  memif::Service service;
  memif::MemifLink link(victim_options(directory), service);
  REQUIRE(link.open());
  RawClient client(directory.file("a.sock"));
  client.seals = 0;
  client.shake_hands();
  CHECK(::ftruncate(client.file.get(), 0) == -1);
}

// The peer's file shrinks under frames in flight: its session ends, and nobody else notices.
void take_memory_away(const std::function<void(Player&, RawClient&)>& touch) {
  const SocketDirectory directory;
  memif::Service service;
  MemifPair honest(service, directory.file("a.sock"), [](auto& server, auto& client) { server.id = client.id = 1; });
  REQUIRE(honest.connect());
  memif::MemifLink link(victim_options(directory, true), service);
  REQUIRE(link.open());
  Player player(link);
  const size_t descriptors = test::open_descriptors();
  {
    RawClient client(directory.file("a.sock"));
    client.seals = F_SEAL_SEAL;
    client.shake_hands();
    client.send_frame(60, 1);
    REQUIRE(until([&] { return player.got.size() == 1; }, {&player}));
    REQUIRE(::ftruncate(client.file.get(), 0) == 0);
    touch(player, client);
    CHECK(client.refusal() == "its shared memory went away");
  }
  CHECK(until([&] { return link.state().refused == 1; }, {honest.server.get()}));
  REQUIRE(honest.client->send(std::vector<Bytes>(200, Bytes(60, 3))).taken == 200);
  CHECK(until([&] { return honest.server->got.size() == 200; }, {honest.server.get()}));
  CHECK(until([&] { return test::open_descriptors() == descriptors; }, {honest.server.get()}));
}

TEST_CASE("memif memory: a file that shrinks while we receive") {
  take_memory_away([](Player& player, RawClient&) { player.turn(); });
}

TEST_CASE("memif memory: a file that shrinks while we send") {
  take_memory_away([](Player& player, RawClient&) {
    const Transmitted sent = player.send({Bytes(60, 1)});
    CHECK(sent.taken == 0);
    CHECK(sent.reason == DropReason::link_down);
  });
}

TEST_CASE("memif memory: a file that shrinks while its frames are lent") {
  const SocketDirectory directory;
  memif::Service service;
  MemifPair honest(service, directory.file("b.sock"));
  REQUIRE(honest.connect());
  memif::MemifLink link(victim_options(directory, true), service);
  REQUIRE(link.open());
  Player player(link);
  RawClient client(directory.file("a.sock"));
  client.seals = F_SEAL_SEAL;
  client.shake_hands();
  client.send_frame(60, 1);
  REQUIRE(until([&] { return player.got.size() == 1; }, {&player}));
  client.send_frame(60, 2);
  auto burst = std::make_unique<Burst>();
  link.receive(*burst);
  REQUIRE(burst->count == 1);
  REQUIRE(::ftruncate(client.file.get(), 0) == 0);
  CHECK(honest.client_link->transmit(*burst, 0, 1).taken == 1);  // zeros: its own frame
  link.release();
  CHECK(client.refusal() == "its shared memory went away");
  REQUIRE(until([&] { return honest.server->got.size() == 1; }, {honest.server.get()}));
  CHECK(honest.server->got[0] == Bytes(60, 0));
}

TEST_CASE("memif memory: holes punched into it are only zeros") {
  const SocketDirectory directory;
  memif::Service service;
  memif::MemifLink link(victim_options(directory), service);
  REQUIRE(link.open());
  Player player(link);
  RawClient client(directory.file("a.sock"));
  client.shake_hands();
  client.send_frame(60, 1);
  REQUIRE(until([&] { return player.got.size() == 1; }, {&player}));
  client.put_frame(client.head(0), 60, 2);
  const off_t data = off_t(client.ring_offset(2) / 4096 + 1) * 4096;
  REQUIRE(::fallocate(client.file.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, data, off_t(client.size) - data) ==
          0);
  client.set_head(0, uint16_t(client.head(0) + 1));
  player.turn();
  CHECK(player.got.size() == 2);
  REQUIRE(::fallocate(client.file.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, off_t(client.size)) == 0);
  player.turn();
  player.send({Bytes(60, 1)});
  CHECK(link.state().up);
}

TEST_CASE("memif memory: a fault that is not a peer's still ends the process") {
  std::atomic<bool> poisoned{false};
  const os::Fd file = memfd(4096, 0);
  auto mapping = os::SharedMapping::map(file.get(), 4096, 4096, poisoned);
  REQUIRE(mapping);
  const os::Fd other = memfd(4096, 0);
  void* unguarded = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, other.get(), 0);
  REQUIRE(unguarded != MAP_FAILED);
  const pid_t child = ::fork();
  if (child == 0) {
    const os::Fd quiet(::open("/dev/null", O_WRONLY));
    ::dup2(quiet.get(), STDERR_FILENO);
    ::ftruncate(file.get(), 0);
    ::ftruncate(other.get(), 0);
    *static_cast<volatile uint8_t*>(mapping.value().data()) = 1;  // contained
    if (!poisoned.load()) ::_exit(7);
    *static_cast<volatile uint8_t*>(unguarded) = 1;
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  // By the signal, or by a sanitizer's handler that was there before ours.
  CHECK((WIFSIGNALED(status) || (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != 7)));
  ::munmap(unguarded, 4096);
}

}  // namespace
}  // namespace crosswire

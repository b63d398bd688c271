// SPDX-License-Identifier: Apache-2.0
// Real TCP and UDP between the kernels' stacks of two namespaces, which verify our offloads independently.
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <netinet/udp.h>

#include <fstream>
#include <future>
#include <sstream>

#include "support/wire_thread.hpp"

namespace crosswire {
namespace {

using test::Bytes;

struct Case {
  Payload payload;
  bool ipv6;
  bool finish_here;
};

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (Payload payload : {Payload::ethernet, Payload::ip}) {
    for (bool ipv6 : {false, true}) {
      for (bool finish_here : {false, true}) cases.push_back({payload, ipv6, finish_here});
    }
  }
  return cases;
}

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;

  Address(bool ipv6, const char* host, uint16_t port) {
    const auto family = static_cast<sa_family_t>(ipv6 ? AF_INET6 : AF_INET);
    auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
    storage.ss_family = family;
    ::inet_pton(family, host, ipv6 ? static_cast<void*>(&v6->sin6_addr) : &v4->sin_addr);
    (ipv6 ? v6->sin6_port : v4->sin_port) = htons(port);
    size = ipv6 ? sizeof *v6 : sizeof *v4;
  }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

// Two namespaces with a device each, 10.77.0.1 and .2, and a link attached to each.
struct Ends {
  test::TestNamespace namespace_a, namespace_b;
  KernelLink a, b;

  explicit Ends(Payload payload) : a(options(namespace_a, payload)), b(options(namespace_b, payload)) {}

  void set_up() {
    set_up_one(namespace_a, a, "1");
    set_up_one(namespace_b, b, "2");
  }

 private:
  static KernelLink::Options options(const test::TestNamespace& inside, Payload payload) {
    return {"wire/end", payload, 1500, TunInterface{inside.path(), "t0"}};
  }
  static void set_up_one(const test::TestNamespace& inside, KernelLink& link, const std::string& host) {
    const bool tap = link.facts().payload == Payload::ethernet;
    REQUIRE(os::create_tun(inside.path(), "t0", tap ? os::TunKind::tap : os::TunKind::tun));
    REQUIRE(link.open());
    REQUIRE(test::ip(inside, {"address", "add", "10.77.0." + host + "/24", "dev", "t0"}) == 0);
    REQUIRE(test::ip(inside, {"address", "add", "fd77::" + host + "/64", "dev", "t0", "nodad"}) == 0);
    REQUIRE(test::ip(inside, {"link", "set", "t0", "up"}) == 0);
  }
};

// A protocol's counter in the namespace's /proc/net/snmp: a line of names, then a line of values.
long kernel_counter(const test::TestNamespace& inside, const std::string& protocol, const std::string& counter) {
  auto guard = os::NamespaceGuard::enter(inside.path());
  std::ifstream file("/proc/thread-self/net/snmp");
  for (std::string names, values; std::getline(file, names) && std::getline(file, values);) {
    std::istringstream name(names), value(values);
    std::string one_name, one_value;
    while (name >> one_name && value >> one_value) {
      if (names.starts_with(protocol + ":") && one_name == counter) return std::stol(one_value);
    }
  }
  return -1;
}

Bytes read_to_end(int fd) {
  Bytes all, piece(1 << 16);
  for (ssize_t got; (got = ::recv(fd, piece.data(), piece.size(), 0)) > 0;) {
    all.insert(all.end(), piece.begin(), piece.begin() + got);
  }
  return all;
}

bool write_all(int fd, const Bytes& bytes) {
  for (size_t at = 0; at < bytes.size();) {
    const ssize_t sent = ::send(fd, bytes.data() + at, bytes.size() - at, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    at += size_t(sent);
  }
  return true;
}

void transfer_tcp(const test::TestNamespace& a, const test::TestNamespace& b, bool ipv6, size_t length) {
  const Address address(ipv6, ipv6 ? "fd77::2" : "10.77.0.2", 5001);
  const os::Fd listener = test::socket_inside(b, address.storage.ss_family, SOCK_STREAM);
  REQUIRE(::bind(listener.get(), address.get(), address.size) == 0);
  REQUIRE(::listen(listener.get(), 1) == 0);
  auto received = std::async(std::launch::async, [&] {
    const os::Fd connection(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    return read_to_end(connection.get());
  });
  std::mt19937 random(5);
  const Bytes data = test::random_bytes(random, length);
  {
    const os::Fd client = test::socket_inside(a, address.storage.ss_family, SOCK_STREAM);
    REQUIRE(::connect(client.get(), address.get(), address.size) == 0);
    CHECK(write_all(client.get(), data));
  }
  CHECK((received.get() == data));
}

TEST_CASE("tap: TCP crosses intact, with offloads passed on and with offloads finished here") {
  NEEDS_NAMESPACE(probe)
  NEEDS_TUN()
  for (const Case& one : all_cases()) {
    CAPTURE((one.payload == Payload::ip));
    CAPTURE(one.ipv6);
    CAPTURE(one.finish_here);
    Ends ends(one.payload);
    ends.set_up();
    const test::WireThread wire(ends.a, ends.b, one.finish_here);
    transfer_tcp(ends.namespace_a, ends.namespace_b, one.ipv6, 4 << 20);
    CHECK(wire.super_frames() > 0);
    CHECK(wire.lone_checksums() > 0);
    CHECK(wire.refused() == 0);
    CHECK(kernel_counter(ends.namespace_a, "Tcp", "InCsumErrors") == 0);
    CHECK(kernel_counter(ends.namespace_b, "Tcp", "InCsumErrors") == 0);
    // A super-frame counts as one there; finished frames were 2,896 and more, until they were merged again.
    const long arrived = kernel_counter(ends.namespace_b, "Tcp", "InSegs");
    CHECK(arrived > 0);
    CHECK(arrived < 1448);
  }
}

// One sendmsg(2) that the kernel leaves whole for a TAP with UDP segmentation (udp(7), UDP_SEGMENT).
bool send_datagrams(int fd, const Address& to, const Bytes& data, uint16_t size) {
  iovec part{const_cast<uint8_t*>(data.data()), data.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof size)> control{};
  msghdr message{};
  message.msg_name = const_cast<sockaddr*>(to.get());
  message.msg_namelen = to.size;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = IPPROTO_UDP;
  header->cmsg_type = UDP_SEGMENT;
  header->cmsg_len = CMSG_LEN(sizeof size);
  std::memcpy(CMSG_DATA(header), &size, sizeof size);
  return ::sendmsg(fd, &message, 0) == ssize_t(data.size());
}

TEST_CASE("tap: a batch of UDP datagrams arrives as the datagrams it stands for") {
  NEEDS_NAMESPACE(probe)
  NEEDS_TUN()
  for (const Case& one : all_cases()) {
    CAPTURE((one.payload == Payload::ip));
    CAPTURE(one.ipv6);
    CAPTURE(one.finish_here);
    Ends ends(one.payload);
    ends.set_up();
    const test::WireThread wire(ends.a, ends.b, one.finish_here);

    // Nobody repeats a lost datagram, so a TCP connection first waits until both sides have a carrier and addresses.
    transfer_tcp(ends.namespace_a, ends.namespace_b, one.ipv6, 1);

    const Address address(one.ipv6, one.ipv6 ? "fd77::2" : "10.77.0.2", 5002);
    const os::Fd receiver = test::socket_inside(ends.namespace_b, address.storage.ss_family, SOCK_DGRAM);
    const os::Fd sender = test::socket_inside(ends.namespace_a, address.storage.ss_family, SOCK_DGRAM);
    REQUIRE(::bind(receiver.get(), address.get(), address.size) == 0);
    std::mt19937 random(6);
    const Bytes data = test::random_bytes(random, 20 * 1201 + 77);
    REQUIRE(send_datagrams(sender.get(), address, data, 1201));
    Bytes received, datagram(2000);
    for (int i = 0; i < 21; ++i) {
      const ssize_t got = ::recv(receiver.get(), datagram.data(), datagram.size(), 0);
      REQUIRE(got == (i < 20 ? 1201 : 77));
      received.insert(received.end(), datagram.begin(), datagram.begin() + got);
    }
    CHECK((received == data));
    CHECK(wire.refused() == 0);
    if (wire.super_frames() == 0) MESSAGE("this kernel has no UDP segmentation for TAPs: the batch was split before");
  }
}

}  // namespace
}  // namespace crosswire

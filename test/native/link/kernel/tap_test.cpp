// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <netinet/udp.h>

#include "link/kernel/kernel_link.hpp"
#include "support/split.hpp"
#include "support/tap_fixture.hpp"

namespace crosswire {
namespace {

using os::TunKind;
using test::Bytes;
using test::experimental;
using test::LentFrame;
using test::receive_experimental;
using test::send;

KernelLink make_link(const test::TestNamespace& inside, Payload payload = Payload::ethernet, uint32_t mtu = 1500) {
  return KernelLink({"wire/client", payload, mtu, TunInterface{inside.path(), "t0"}});
}

Bytes experimental_frame(size_t length, const std::vector<uint16_t>& tags = {}) {
  Bytes frame = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1};
  for (uint16_t tag : tags) {
    test::append16(frame, tag);
    test::append16(frame, 0x0123);
  }
  test::append16(frame, experimental);
  for (size_t i = frame.size(); i < length; ++i) frame.push_back(uint8_t(i * 7));
  return frame;
}

TEST_CASE("tun: devices are created once, attached by name, and never by accident") {
  NEEDS_NAMESPACE(inside)
  NEEDS_TUN()
  const auto index = os::create_tun(inside.path(), "t0", TunKind::tap);
  REQUIRE(index);
  CHECK(index.value() == test::index_of(inside, "t0"));
  CHECK(os::create_tun(inside.path(), "t0", TunKind::tap).error().code == "TAP_EXISTS");
  CHECK(os::create_tun(inside.path(), "lo", TunKind::tap).error().code == "TAP_EXISTS");
  CHECK(os::create_tun(inside.path(), "sixteen-bytes-it", TunKind::tap).error().code == "TAP_FAILED");
  CHECK(os::create_tun("/run/no-such-namespace", "t1", TunKind::tap).error().code == "NAMESPACE_MISSING");

  const auto missing = os::attach_tun(inside.path(), "t1", TunKind::tap);
  CHECK(missing.error().code == "TAP_MISSING");
  CHECK(missing.error().subject == "t1 in " + inside.path());
  CHECK(test::index_of(inside, "t1") == 0);
  CHECK(os::attach_tun(inside.path(), "t0", TunKind::tun).error().code == "TAP_WRONG_KIND");
  CHECK(os::attach_tun(inside.path(), "lo", TunKind::tap).error().code == "TAP_WRONG_KIND");
  const auto first = os::attach_tun(inside.path(), "t0", TunKind::tap);
  REQUIRE(first);
  CHECK(os::attach_tun(inside.path(), "t0", TunKind::tap).error().code == "TAP_BUSY");

  REQUIRE(os::create_tun(inside.path(), "t2", TunKind::tun));
  CHECK(os::attach_tun(inside.path(), "t2", TunKind::tun).ok());
}

TEST_CASE("tap: frames cross unchanged in both directions, tags and lengths kept") {
  NEEDS_NAMESPACE(inside)
  NEEDS_TUN()
  REQUIRE(os::create_tun(inside.path(), "t0", TunKind::tap));
  REQUIRE(test::ip(inside, {"link", "set", "t0", "mtu", "9000", "up"}) == 0);
  KernelLink link = make_link(inside, Payload::ethernet, 9000);
  REQUIRE(link.open());
  CHECK(link.state().up);
  CHECK(link.facts().kind == "tap");
  CHECK(link.facts().takes_offloads);
  CHECK(link.facts().max_frame == 9022);

  test::RawSocket workload(inside, "t0", experimental);
  for (size_t length : {size_t{14}, size_t{15}, size_t{60}, size_t{1514}, size_t{9014}}) {
    CAPTURE(length);
    REQUIRE(workload.send(experimental_frame(length)));
    CHECK(receive_experimental(link) == experimental_frame(length));
    REQUIRE_FALSE(send(link, experimental_frame(length)));
    CHECK(workload.receive() == experimental_frame(length));
  }
  for (const auto& tags : {std::vector<uint16_t>{0x8100}, {0x88a8, 0x8100}}) {
    REQUIRE(workload.send(experimental_frame(200, tags)));
    CHECK(receive_experimental(link) == experimental_frame(200, tags));
  }
}

TEST_CASE("tap: a chained frame is delivered in one piece") {
  NEEDS_NAMESPACE(inside)
  NEEDS_TUN()
  REQUIRE(os::create_tun(inside.path(), "t0", TunKind::tap));
  REQUIRE(test::ip(inside, {"link", "set", "t0", "up"}) == 0);
  KernelLink link = make_link(inside);
  REQUIRE(link.open());
  test::RawSocket workload(inside, "t0", experimental);
  const Bytes frame = experimental_frame(1000);
  const LentFrame lent(frame, {1, 1, 13, 500, 999}, {});
  REQUIRE(link.transmit(lent.burst(), 0, 1).taken == 1);
  CHECK(workload.receive() == frame);
}

TEST_CASE("tap: what it cannot deliver is refused with the reason") {
  NEEDS_NAMESPACE(inside)
  NEEDS_TUN()
  REQUIRE(os::create_tun(inside.path(), "t0", TunKind::tap));
  KernelLink link = make_link(inside);
  CHECK(send(link, experimental_frame(60)) == DropReason::link_down);  // not open
  REQUIRE(link.open());

  CHECK(send(link, experimental_frame(60)) == DropReason::link_down);
  CHECK_FALSE(link.state().up);
  REQUIRE(test::ip(inside, {"link", "set", "t0", "up"}) == 0);
  CHECK_FALSE(send(link, experimental_frame(60)));
  CHECK(link.state().up);

  CHECK(send(link, Bytes(13, 0xff)) == DropReason::too_short);
  CHECK_FALSE(send(link, experimental_frame(1522)));
  CHECK(send(link, experimental_frame(1523)) == DropReason::too_big);

  const test::PacketSpec spec{.data = Bytes(5000), .finished = false};
  const test::Packet packet = test::build(spec);
  Offload offload{.needs_checksum = true, .checksum_start = 34, .checksum_offset = 16};
  offload.segmentation = Offload::Segmentation::tcp4;
  offload.header_length = 54;
  offload.segment_size = 1400;
  CHECK_FALSE(send(link, packet.bytes, offload, 4));
  offload.segment_size = 1469;
  CHECK(send(link, packet.bytes, offload, 4) == DropReason::too_big);
  offload.segment_size = 1400;
  offload.checksum_start = 6000;  // after the end of the frame: the kernel refuses it
  CHECK(send(link, packet.bytes, offload, 4) == DropReason::bad_offload);
}

TEST_CASE("tun: carries IPv4 and IPv6, and nothing else") {
  NEEDS_NAMESPACE(inside)
  NEEDS_TUN()
  REQUIRE(os::create_tun(inside.path(), "t0", TunKind::tun));
  REQUIRE(test::ip(inside, {"link", "set", "t0", "up"}) == 0);
  KernelLink link = make_link(inside, Payload::ip);
  REQUIRE(link.open());
  CHECK(link.facts().kind == "tun");
  CHECK(link.facts().max_frame == 1500);
  CHECK_FALSE(send(link, test::build({.ethernet = false, .data = Bytes(10)}).bytes));
  CHECK_FALSE(send(link, test::build({.ethernet = false, .ip_version = 6, .data = Bytes(10)}).bytes));
  CHECK(send(link, Bytes(60, 0x55)) == DropReason::bad_payload);
  CHECK(send(link, Bytes(1501, 0x45)) == DropReason::too_big);
}

TEST_CASE("tun: the workload's first packet after open() is received") {
  NEEDS_NAMESPACE(inside)
  NEEDS_TUN()
  if (test::kernel_before(6, 8)) {
    MESSAGE("skipped: before Linux 6.8 nobody can make the link watch run (settle_carrier() in os/tun.cpp)");
    return;
  }
  const os::Fd socket = test::socket_inside(inside, AF_INET, SOCK_DGRAM);
  sockaddr_in peer{};
  peer.sin_family = AF_INET;
  peer.sin_port = htons(9);
  ::inet_pton(AF_INET, "10.77.0.2", &peer.sin_addr);
  for (int attempt = 0; attempt < 20; ++attempt) {
    REQUIRE(os::create_tun(inside.path(), "t0", TunKind::tun));
    REQUIRE(test::ip(inside, {"address", "add", "10.77.0.1/24", "dev", "t0"}) == 0);
    REQUIRE(test::ip(inside, {"link", "set", "t0", "addrgenmode", "none", "up"}) == 0);
    KernelLink link = make_link(inside, Payload::ip);
    REQUIRE(link.open());
    REQUIRE(::sendto(socket.get(), "x", 1, 0, reinterpret_cast<sockaddr*>(&peer), sizeof peer) == 1);
    REQUIRE(test::readable(link.poll_fd(), 10000));
    test::WorkerBurst worker;
    CHECK(worker.receive(link).count == 1);
    link.close();
    REQUIRE(test::ip(inside, {"link", "delete", "t0"}) == 0);
  }
}

TEST_CASE("tap: arm() and the descriptor agree on waiting frames") {
  NEEDS_NAMESPACE(inside)
  NEEDS_TUN()
  REQUIRE(os::create_tun(inside.path(), "t0", TunKind::tap));
  REQUIRE(test::ip(inside, {"link", "set", "t0", "addrgenmode", "none", "up"}) == 0);
  KernelLink link = make_link(inside);
  REQUIRE(link.open());
  test::WorkerBurst worker;
  worker.receive(link);
  CHECK_FALSE(link.arm());
  CHECK_FALSE(test::readable(link.poll_fd(), 0));

  test::RawSocket workload(inside, "t0", experimental);
  REQUIRE(workload.send(experimental_frame(60)));
  CHECK(test::readable(link.poll_fd(), 10000));
  CHECK(link.arm());

  worker.burst->scratch = {};  // no room to read into: the frame waits
  CHECK(worker.receive(link).count == 0);
  CHECK(link.arm());
  worker.burst->scratch = worker.scratch;
  CHECK(worker.receive(link).count == 1);
  CHECK_FALSE(link.arm());
}

TEST_CASE("tap: a burst of small frames lies densely, and the budget leaves the rest for the next turn") {
  NEEDS_NAMESPACE(inside)
  NEEDS_TUN()
  REQUIRE(os::create_tun(inside.path(), "t0", TunKind::tap));
  REQUIRE(test::ip(inside, {"link", "set", "t0", "addrgenmode", "none", "up"}) == 0);
  KernelLink link = make_link(inside);
  REQUIRE(link.open());
  test::RawSocket workload(inside, "t0", experimental);
  for (int i = 0; i < 100; ++i) REQUIRE(workload.send(experimental_frame(60)));
  test::WorkerBurst worker;
  CHECK(worker.receive(link).count == 64);
  CHECK(worker.burst->frames[63].data - worker.burst->frames[0].data == 63 * 128);
  CHECK(worker.receive(link).count == 36);
}

TEST_CASE("tap: a turn ends after some two hundred frames, counted as a ring counts them") {
  NEEDS_NAMESPACE(inside)
  NEEDS_TUN()
  REQUIRE(os::create_tun(inside.path(), "t0", TunKind::tun));
  REQUIRE(test::ip(inside, {"address", "add", "10.77.0.1/24", "dev", "t0"}) == 0);
  REQUIRE(test::ip(inside, {"link", "set", "t0", "addrgenmode", "none", "up"}) == 0);
  KernelLink link = make_link(inside, Payload::ip);
  REQUIRE(link.open());
  const os::Fd sender = test::socket_inside(inside, AF_INET, SOCK_DGRAM);
  const int segment = 1000;
  REQUIRE(::setsockopt(sender.get(), IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof segment) == 0);
  sockaddr_in peer{};
  peer.sin_family = AF_INET;
  peer.sin_port = htons(9);
  ::inet_pton(AF_INET, "10.77.0.2", &peer.sin_addr);
  const Bytes batch(60 * segment);
  for (int i = 0; i < 6; ++i) {
    REQUIRE(::sendto(sender.get(), batch.data(), batch.size(), 0, reinterpret_cast<sockaddr*>(&peer), sizeof peer) > 0);
  }
  test::WorkerBurst worker;
  const Burst& burst = worker.receive(link);
  if (burst.offload_count == 0 || burst.frames[0].units == 1) {
    MESSAGE("skipped: this kernel has no UDP segmentation for TAPs");
    return;
  }
  CHECK(burst.count == 4);
  CHECK(worker.receive(link).count == 2);
}

TEST_CASE("tap: an interface deleted under the link wakes its worker once, never again") {
  NEEDS_NAMESPACE(inside)
  NEEDS_TUN()
  for (const bool by_receive : {true, false}) {
    CAPTURE(by_receive);
    REQUIRE(os::create_tun(inside.path(), "t0", TunKind::tap));
    REQUIRE(test::ip(inside, {"link", "set", "t0", "up"}) == 0);
    KernelLink link = make_link(inside);
    REQUIRE(link.open());
    REQUIRE(test::ip(inside, {"link", "delete", "t0"}) == 0);

    REQUIRE(test::readable(link.poll_fd(), 10000));
    test::WorkerBurst worker;
    if (by_receive) {
      CHECK(worker.receive(link).count == 0);
    } else {
      CHECK_FALSE(link.arm());
    }
    CHECK_FALSE(test::readable(link.poll_fd(), 0));
    CHECK_FALSE(link.arm());
    CHECK_FALSE(link.state().up);
    CHECK(link.state().detail == "interface t0 was deleted");
    CHECK(send(link, experimental_frame(60)) == DropReason::link_down);

    // A new device of that name is somebody else's until the link is opened again.
    REQUIRE(os::create_tun(inside.path(), "t0", TunKind::tap));
    CHECK(send(link, experimental_frame(60)) == DropReason::link_down);
    link.close();
    REQUIRE(link.open());
    CHECK(link.state().up);
    link.close();
    REQUIRE(test::ip(inside, {"link", "delete", "t0"}) == 0);
  }
}

TEST_CASE("tap: the interface and its addresses outlive the link") {
  NEEDS_NAMESPACE(inside)
  NEEDS_TUN()
  const auto index = os::create_tun(inside.path(), "t0", TunKind::tap);
  REQUIRE(index);
  REQUIRE(test::ip(inside, {"address", "add", "10.77.0.1/24", "dev", "t0"}) == 0);
  REQUIRE(test::ip(inside, {"link", "set", "t0", "up"}) == 0);
  for (int restart = 0; restart < 3; ++restart) {
    KernelLink link = make_link(inside);
    REQUIRE(link.open());
    CHECK_FALSE(send(link, experimental_frame(60)));
    link.close();
    link.close();
  }
  CHECK(test::index_of(inside, "t0") == index.value());
  const os::Fd socket = test::socket_inside(inside, AF_INET, SOCK_DGRAM);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  ::inet_pton(AF_INET, "10.77.0.1", &address.sin_addr);
  CHECK(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
}

}  // namespace
}  // namespace crosswire

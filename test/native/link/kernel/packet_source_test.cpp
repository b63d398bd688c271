// SPDX-License-Identifier: Apache-2.0
// A link of kind "device": any interface, used by a packet socket. Here one side of a veth pair:
//   workload (raw socket on far) ── veth ── near (link)
#include <doctest/doctest.h>

#include <fstream>

#include "link/kernel/kernel_link.hpp"
#include "os/interface.hpp"
#include "os/packet_socket.hpp"
#include "support/tap_fixture.hpp"

namespace crosswire {
namespace {

using test::Bytes;
using test::experimental;
using test::receive_experimental;
using test::send;

struct Pair {
  os::Fd engine;  // the namespace that only the link's side is in
  std::string path;

  bool make(const test::TestNamespace& workload) {
    silence(workload);
    auto made = os::make_namespace();
    if (!made) return false;
    engine = std::move(made).value();
    path = os::descriptor_path(engine);
    const os::VethSide near{{path, "near"}, "crosswire/test", {2, 0, 0, 0, 0, 0x0a}, 1500};
    const os::VethSide far{{workload.path(), "far"}, "crosswire/test", {2, 0, 0, 0, 0, 0x0b}, 1500};
    return os::create_veth_pair(near, far).ok() && set_up(near.interface, true) && set_up(far.interface, true);
  }

  // Without neighbour discovery, there are only frames of the test.
  static void silence(const test::TestNamespace& workload) {
    auto inside = os::NamespaceGuard::enter(workload.path());
    std::ofstream("/proc/sys/net/ipv6/conf/default/disable_ipv6") << "1";
  }

  static bool set_up(const os::InterfaceReference& interface, bool up) {
    os::InterfaceChange change;
    change.interface = interface;
    change.alias = "crosswire/test";
    change.up = up;
    return os::change_interface(change).ok();
  }

  KernelLink link(uint32_t mtu = 1500) const {
    return KernelLink({"wire/client", Payload::ethernet, mtu, PacketInterface{path, "near"}});
  }
};

Bytes frame_of(const Bytes& to, size_t length) {
  Bytes frame = to;
  frame.insert(frame.end(), {2, 0, 0, 0, 0, 0x0c});
  test::append16(frame, experimental);
  for (size_t i = frame.size(); i < length; ++i) frame.push_back(uint8_t(i * 7));
  return frame;
}

const Bytes to_link = {2, 0, 0, 0, 0, 0x0a}, to_far = {2, 0, 0, 0, 0, 0x0b}, multicast = {1, 0, 0x5e, 0x7f, 1, 2};

TEST_CASE("device: a frame passes either way unchanged, multicasts too, and none comes back") {
  NEEDS_NAMESPACE(workload)
  Pair pair;
  REQUIRE(pair.make(workload));
  auto link = pair.link();
  REQUIRE(link.open());
  CHECK(link.facts().kind == "device");
  CHECK(link.state().up);
  test::RawSocket far(workload, "far", experimental);
  for (const Bytes& to : {to_link, multicast}) {
    for (const size_t length : {60u, 1514u}) {
      const Bytes sent = frame_of(to, length);
      REQUIRE(far.send(sent));
      CHECK(receive_experimental(link) == sent);
    }
  }
  const Bytes back = frame_of(to_far, 700);
  CHECK_FALSE(send(link, back));
  CHECK(far.receive() == back);
  CHECK_FALSE(link.arm());  // what it sent itself is not received
  CHECK(send(link, frame_of(to_far, 1540)) == DropReason::too_big);
}

TEST_CASE(
    "device: what the interface cannot take is refused with its reason, and a link comes back with its interface") {
  NEEDS_NAMESPACE(workload)
  Pair pair;
  REQUIRE(pair.make(workload));
  auto link = pair.link(9000);
  REQUIRE(link.open());
  CHECK(send(link, frame_of(to_far, 2000)) == DropReason::too_big);  // longer than the interface's MTU

  REQUIRE(Pair::set_up({pair.path, "near"}, false));
  CHECK(send(link, frame_of(to_far, 100)) == DropReason::link_down);
  test::WorkerBurst worker;
  const Burst& burst = worker.receive(link);
  CHECK(burst.count == 0);
  for (const uint32_t dropped : burst.dropped) CHECK(dropped == 0);  // ENETDOWN is no frame
  CHECK(link.state().detail == "interface near is down");

  REQUIRE(Pair::set_up({pair.path, "near"}, true));
  test::RawSocket far(workload, "far", experimental);
  const Bytes sent = frame_of(to_link, 100);
  REQUIRE(far.send(sent));
  CHECK(receive_experimental(link) == sent);
  CHECK(link.state().up);

  REQUIRE(os::delete_interface({pair.path, "near"}, "crosswire/test"));
  CHECK(send(link, sent) == DropReason::link_down);
  CHECK(link.state().detail == "interface near was deleted");
  link.close();
  CHECK(link.open().error().code == "INTERFACE_MISSING");
}

TEST_CASE("device: frames that find the socket's queue full are counted") {
  NEEDS_NAMESPACE(workload)
  Pair pair;
  REQUIRE(pair.make(workload));
  auto link = pair.link();
  REQUIRE(link.open());
  test::RawSocket far(workload, "far", experimental);
  constexpr uint32_t sent = 60000;  // some 800 bytes of kernel memory each, into a queue of 16 MiB
  for (uint32_t i = 0; i < sent; ++i) REQUIRE(far.send(frame_of(to_link, 60)));
  test::WorkerBurst worker;
  uint32_t received = 0, dropped = 0;
  while (test::readable(link.poll_fd(), 0)) {
    const Burst& burst = worker.receive(link);
    received += burst.count;
    for (const uint32_t each : burst.dropped) dropped += each;
  }
  CHECK(dropped > 0);
  CHECK(received + dropped == sent);
}

}  // namespace
}  // namespace crosswire

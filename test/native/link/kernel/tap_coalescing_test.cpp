// SPDX-License-Identifier: Apache-2.0
// What the workload's kernel receives from a burst with adjacent frames of one flow, seen by a packet socket.
#include <doctest/doctest.h>

#include "engine/pump.hpp"
#include "link/memory.hpp"
#include "support/lent_burst.hpp"
#include "support/refused_writes.hpp"
#include "support/tap_fixture.hpp"

namespace crosswire {
namespace {

using test::Bytes;
using test::PacketSpec;

constexpr uint16_t ipv4 = 0x0800;
constexpr uint32_t whole_writes = 2;  // parts of a frame in one segment: virtio_net_hdr, frame

// A TAP of its own namespace, up, with a listener.
struct Workload {
  const test::TestNamespace& inside;
  KernelLink link;
  std::unique_ptr<test::RawSocket> socket;

  explicit Workload(const test::TestNamespace& where)
      : inside(where), link({"wire/client", Payload::ethernet, 1500, TunInterface{where.path(), "t0"}}) {}
  void set_up() {
    REQUIRE(os::create_tun(inside.path(), "t0", os::TunKind::tap));
    REQUIRE(test::ip(inside, {"link", "set", "t0", "addrgenmode", "none", "up"}) == 0);
    REQUIRE(link.open());
    socket = std::make_unique<test::RawSocket>(inside, "t0", ipv4);
  }
  void expect(const std::vector<Bytes>& frames) {
    for (const Bytes& frame : frames) CHECK((socket->receive() == frame));
  }
};

struct Flow {
  PacketSpec spec;
  std::vector<Bytes> frames;
  Bytes whole;  // unfinished

  Flow(bool udp, size_t count, uint8_t fill) : spec{.udp = udp, .id = fill, .data = Bytes(count * 1000 - 1, fill)} {
    frames = test::build_segments(spec, 1000);
    spec.finished = false;
    whole = test::build(spec).bytes;
  }
};

void add(test::LentBurst& lent, const Flow& flow) {
  for (const Bytes& frame : flow.frames) lent.add(frame);
}

TEST_CASE("tap: neighbours of one flow are handed over as one") {
  NEEDS_NAMESPACE(inside)
  NEEDS_TUN()
  Workload workload(inside);
  workload.set_up();
  const Flow tcp(false, 40, 1), udp(true, 20, 2);
  const Bytes alone = test::build({.data = Bytes(100, 3)}).bytes;
  test::LentBurst lent;
  add(lent, tcp);
  lent.add(alone);
  add(lent, udp);
  CHECK(workload.link.transmit(lent.burst(), 0, 61).taken == 61);
  workload.expect({tcp.whole, alone});
  const Bytes next = workload.socket->receive();
  if (next == udp.frames[0]) {
    MESSAGE("this kernel has no UDP segmentation for TAPs");
    return;
  }
  CHECK((next == udp.whole));
}

TEST_CASE("tap: frames that the kernel refuses as one are handed over one by one") {
  NEEDS_NAMESPACE(inside)
  NEEDS_TUN()
  Workload workload(inside);
  workload.set_up();
  const Flow udp(true, 5, 1), tcp(false, 4, 2);
  test::LentBurst lent;
  add(lent, udp);
  add(lent, tcp);
  Transmitted sent;
  const std::string problem = test::with_refused_writes(
      whole_writes, EINVAL, [&] { sent = workload.link.transmit(lent.burst(), 0, lent.burst().count); });
  if (!problem.empty()) {
    MESSAGE("skipped: " << problem);
    return;
  }
  CHECK(sent.taken == 9);
  workload.expect(udp.frames);
  workload.expect(tcp.frames);

  // A kernel without UDP segmentation is tried once, until the link is opened again.
  CHECK(workload.link.transmit(lent.burst(), 0, lent.burst().count).taken == 9);
  workload.expect(udp.frames);
  workload.expect({tcp.whole});
}

TEST_CASE("tap: every frame of a burst is accounted for when the kernel takes merged frames no longer") {
  NEEDS_NAMESPACE(inside)
  NEEDS_TUN()
  struct Row {
    uint16_t error;
    uint64_t delivered;
    DropReason reason;
  };
  const Flow first(false, 7, 1), second(false, 9, 2);
  const Bytes alone = test::build({.data = Bytes(100, 3)}).bytes;
  for (const Row row : {Row{EAGAIN, 1, DropReason::tx_full}, Row{EIO, 1, DropReason::link_down},
                        Row{ENOMEM, 18, DropReason::io_error}}) {
    CAPTURE(row.error);
    Workload workload(inside);
    workload.set_up();
    MemoryLink source;
    source.inject(alone);
    for (const Flow* flow : {&first, &second})
      for (const Bytes& frame : flow->frames) source.inject(frame);
    source.inject(alone);
    WireCounters counters;
    auto burst = std::make_unique<Burst>();
    const std::string problem = test::with_refused_writes(whole_writes, row.error, [&] {
      pump(*burst, {source, workload.link, counters, 0, 0});
    });
    if (!problem.empty()) {
      MESSAGE("skipped: " << problem);
      return;
    }
    CHECK(counters.ends[0].rx_packets.get() == 18);
    CHECK(counters.ends[1].tx_packets.get() == row.delivered);
    CHECK(counters.ends[0].drops[size_t(row.reason)].get() == 18 - row.delivered);
    workload.expect({alone});
    if (row.delivered == 18) {
      workload.expect(first.frames);
      workload.expect(second.frames);
      workload.expect({alone});
    }
    workload.link.close();
    REQUIRE(test::ip(inside, {"link", "delete", "t0"}) == 0);
  }
}

}  // namespace
}  // namespace crosswire

// SPDX-License-Identifier: Apache-2.0
#include "link/memory.hpp"

#include <doctest/doctest.h>
#include <poll.h>

#include <atomic>
#include <memory>
#include <thread>

#include "core/offload.hpp"
#include "support/packet.hpp"

namespace crosswire {
namespace {

using test::Bytes;

struct Worker {
  std::unique_ptr<Burst> burst = std::make_unique<Burst>();

  uint32_t receive(Link& link) {
    burst->clear();
    link.receive(*burst);
    return burst->count;
  }
};

bool readable(const Link& link, int milliseconds = 0) {
  pollfd fd{.fd = link.poll_fd(), .events = POLLIN, .revents = 0};
  return ::poll(&fd, 1, milliseconds) == 1;
}

TEST_CASE("memory: what is injected at one link is collected at the other, in order") {
  MemoryLink from, to;
  REQUIRE(from.open());
  REQUIRE(to.open());
  CHECK(from.inject({1, 2, 3}));
  CHECK(from.inject(MemoryFrame{.bytes = {4, 5, 6, 7, 8}, .cuts = {1, 1, 3}}));
  CHECK_FALSE(from.inject(Bytes{}));

  Worker worker;
  REQUIRE(worker.receive(from) == 2);
  const Frame& chained = worker.burst->frames[1];
  CHECK(chained.head_length == 1);
  CHECK(chained.more == 3);
  CHECK(worker.burst->more_of(chained)[1].length == 2);
  CHECK(to.transmit(*worker.burst, 0, 2).taken == 2);
  from.release();
  CHECK(worker.receive(from) == 0);

  const auto frames = to.collect();
  REQUIRE(frames.size() == 2);
  CHECK(frames[0].bytes == Bytes{1, 2, 3});
  CHECK(frames[1].bytes == Bytes{4, 5, 6, 7, 8});
}

TEST_CASE("memory: both queues are bounded") {
  MemoryLink link({.inbound_capacity = 3, .outbound_capacity = 2});
  REQUIRE(link.open());
  for (uint8_t i = 0; i < 3; ++i) CHECK(link.inject({i}));
  CHECK_FALSE(link.inject({3}));

  Worker worker;
  REQUIRE(worker.receive(link) == 3);
  const Transmitted result = link.transmit(*worker.burst, 0, 3);
  CHECK(result.taken == 2);
  CHECK(result.reason == DropReason::tx_full);
  link.collect();
  CHECK(link.transmit(*worker.burst, 2, 1).taken == 1);
}

TEST_CASE("memory: a burst takes as many frames and segments as it holds, the rest waits") {
  MemoryLink link;
  REQUIRE(link.open());
  for (int i = 0; i < 300; ++i) CHECK(link.inject({1}));
  Worker worker;
  CHECK(worker.receive(link) == Burst::capacity);
  CHECK(worker.receive(link) == 300 - Burst::capacity);

  std::vector<uint32_t> cuts(Burst::max_more, 1);
  for (int i = 0; i < 5; ++i) CHECK(link.inject(MemoryFrame{.bytes = {1, 2}, .cuts = cuts}));
  cuts.push_back(1);
  CHECK_FALSE(link.inject(MemoryFrame{.bytes = {1, 2}, .cuts = cuts}));
  CHECK(worker.receive(link) == 4);
  CHECK(worker.receive(link) == 1);
}

TEST_CASE("memory: offloads pass through where taken, and are finished where not") {
  test::PacketSpec spec{.data = Bytes(2500, 9), .finished = false};
  const test::Packet packet = test::build(spec);
  const VirtioHeader claim{
      .flags = 1, .gso_type = VirtioHeader::gso_tcp4, .gso_size = 1000, .checksum_start = 34, .checksum_offset = 16};
  const CheckedOffload checked = check_offload(claim, packet.bytes, uint32_t(packet.bytes.size()), Payload::ethernet);
  MemoryLink source, takes({.takes_offloads = true}), splits({.outbound_capacity = 2});
  REQUIRE(source.open());
  REQUIRE(source.inject(MemoryFrame{.bytes = packet.bytes, .offload = checked.offload, .units = checked.units}));
  Worker worker;
  REQUIRE(worker.receive(source) == 1);
  CHECK(worker.burst->frames[0].units == 3);

  CHECK(takes.transmit(*worker.burst, 0, 1).taken == 1);
  const auto whole = takes.collect();
  REQUIRE(whole.size() == 1);
  CHECK(whole[0].bytes == packet.bytes);
  CHECK(whole[0].units == 3);
  CHECK(whole[0].offload->segment_size == 1000);

  const Transmitted partial = splits.transmit(*worker.burst, 0, 1);
  CHECK(partial.taken == 0);
  CHECK(partial.reason == DropReason::tx_full);
  CHECK(partial.partial_units == 2);
  CHECK(partial.partial_bytes == 2 * 1054);
  const auto expected = test::build_segments(spec, 1000);
  const auto first_two = splits.collect();
  REQUIRE(first_two.size() == 2);
  CHECK(first_two[0].bytes == expected[0]);
  CHECK(first_two[1].bytes == expected[1]);
}

TEST_CASE("memory: the test decides what is refused") {
  MemoryLink link({.max_frame = 4});
  REQUIRE(link.open());
  REQUIRE(link.inject({1, 2, 3, 4, 5}));
  REQUIRE(link.inject({1}));
  Worker worker;
  REQUIRE(worker.receive(link) == 2);
  CHECK(link.transmit(*worker.burst, 0, 2).reason == DropReason::too_big);
  link.refuse_next(DropReason::io_error);
  CHECK(link.transmit(*worker.burst, 1, 1).reason == DropReason::io_error);
  CHECK(link.transmit(*worker.burst, 1, 1).taken == 1);
  link.set_up(false);
  CHECK_FALSE(link.state().up);
  CHECK(link.transmit(*worker.burst, 1, 1).reason == DropReason::link_down);

  link.count_drop(DropReason::bad_desc, 2);
  CHECK(worker.receive(link) == 0);
  CHECK(worker.burst->dropped[size_t(DropReason::bad_desc)] == 2);
}

TEST_CASE("memory: arm, look, sleep: no frame is slept through") {
  MemoryLink link;
  REQUIRE(link.open());
  CHECK_FALSE(link.arm());
  CHECK_FALSE(readable(link));
  REQUIRE(link.inject({1}));
  CHECK(readable(link));
  link.disarm();
  CHECK_FALSE(readable(link));
  CHECK(link.arm());  // still waiting to be received

  Worker worker;
  CHECK(worker.receive(link) == 1);
  CHECK_FALSE(link.arm());
  link.count_drop(DropReason::bad_desc);
  CHECK(readable(link));
  CHECK(link.arm());
}

TEST_CASE("memory: a worker forwards everything while the test injects and collects") {
  constexpr uint32_t total = 20000;
  MemoryLink from, to({.outbound_capacity = total});
  REQUIRE(from.open());
  std::atomic<bool> asleep{false};
  std::thread forwarder([&] {
    Worker worker;
    for (uint32_t forwarded = 0; forwarded < total && !asleep;) {
      asleep = !from.arm() && !readable(from, 10000);
      from.disarm();
      forwarded += worker.receive(from);
      to.transmit(*worker.burst, 0, worker.burst->count);
      from.release();
    }
  });
  for (uint32_t i = 0; i < total && !asleep;) {
    if (from.inject({uint8_t(i >> 8), uint8_t(i)})) {
      ++i;
    } else {
      std::this_thread::yield();
    }
  }
  forwarder.join();
  REQUIRE_FALSE(asleep);
  CHECK(to.wait_for(total));
  const auto frames = to.collect();
  REQUIRE(frames.size() == total);
  for (uint32_t i = 0; i < total; ++i) REQUIRE(frames[i].bytes == Bytes{uint8_t(i >> 8), uint8_t(i)});
}

}  // namespace
}  // namespace crosswire

// SPDX-License-Identifier: Apache-2.0
#include "core/coalescer.hpp"

#include <doctest/doctest.h>

#include <functional>

#include "core/offload.hpp"
#include "support/lent_burst.hpp"
#include "support/split.hpp"

namespace crosswire {
namespace {

using test::Bytes;
using test::LentBurst;
using test::PacketSpec;
using Lengths = std::vector<uint32_t>;

constexpr Coalescer::Limits ethernet{.payload = Payload::ethernet, .max_frame = 9022};

Coalescer::Limits limits_of(const PacketSpec& spec) {
  return {.payload = spec.ethernet ? Payload::ethernet : Payload::ip, .max_frame = 9022};
}

std::vector<PacketSpec> shapes() {
  std::vector<PacketSpec> shapes;
  for (bool is_ethernet : {true, false}) {
    for (int version : {4, 6}) {
      for (bool udp : {false, true}) shapes.push_back({.ethernet = is_ethernet, .ip_version = version, .udp = udp});
      shapes.push_back({.ethernet = is_ethernet, .ip_version = version, .tcp_options = Bytes(12, 1)});
      shapes.push_back({.ethernet = is_ethernet, .ip_version = version, .tcp_flags = 0x59});  // ECE ACK PSH FIN
    }
  }
  shapes.push_back({.tags = {0x8100}});
  shapes.push_back({.tags = {0x88a8, 0x8100}, .ip_version = 6, .tcp_options = Bytes(40, 1)});
  shapes.push_back({.tags = {0x8100}, .udp = true});
  return shapes;
}

TEST_CASE("coalescer: the frames of a super-frame become that super-frame again, however they are cut") {
  std::mt19937 random(7);
  for (PacketSpec spec : shapes()) {
    for (uint32_t size : {1u, 33u, 536u, 1448u, 8900u}) {
      for (int round = 0; round < 5; ++round) {
        const uint32_t most = std::min(60u, 65000 / size);
        spec.data = test::random_bytes(random, size + 1 + random() % (size * (most - 1)));
        spec.finished = true;
        LentBurst lent;
        const auto frames = test::build_segments(spec, size);
        for (const Bytes& frame : frames) lent.add(frame, test::random_cuts(random, frame.size()));
        const auto runs = test::coalesce(lent.burst(), limits_of(spec));
        if (lent.burst().segment_count + frames.size() > Coalescer::max_pieces) continue;
        REQUIRE(test::lengths(runs) == Lengths{uint32_t(frames.size())});
        spec.finished = false;
        const test::Packet whole = test::build(spec);
        REQUIRE(runs[0].bytes == whole.bytes);
        REQUIRE(runs[0].offload.needs_checksum);
        REQUIRE(runs[0].offload.checksum_start == whole.transport);
        REQUIRE(runs[0].offload.checksum_offset == (spec.udp ? 6 : 16));
        REQUIRE(runs[0].offload.header_length == whole.data);
        REQUIRE(runs[0].offload.segment_size == size);

        // The kernel gets the same offload that it would have given for such a super-frame.
        const CheckedOffload checked = check_offload(claim_of(&runs[0].offload), whole.bytes,
                                                     uint32_t(whole.bytes.size()), limits_of(spec).payload);
        REQUIRE_FALSE(checked.refused);
        REQUIRE(checked.units == frames.size());
        REQUIRE(checked.offload.segmentation == runs[0].offload.segmentation);
      }
    }
  }
}

// Three frames of 1,000 bytes, of which the middle one is changed in one respect.
struct Middle {
  const char* what;
  std::function<void(PacketSpec&)> change;
  Lengths expected;
};

Lengths runs_with(const PacketSpec& base, const Middle& row) {
  LentBurst lent;
  for (uint32_t i = 0; i < 3; ++i) {
    PacketSpec one = base;
    one.sequence += i * 1000;
    one.id = uint16_t(one.id + i);
    if (i == 1) row.change(one);
    lent.add(test::build(one).bytes);
  }
  return test::lengths(test::coalesce(lent.burst(), ethernet));
}

TEST_CASE("coalescer: whatever is not the next piece of the same flow ends the run") {
  const PacketSpec tcp{.tcp_options = Bytes(12, 1), .data = Bytes(1000, 7)};
  const Lengths none = {1, 1, 1}, behind = {2, 1}, all = {3};
  const std::vector<Middle> rows = {
      {"nothing", [](PacketSpec&) {}, all},
      {"PSH", [](PacketSpec& s) { s.tcp_flags = 0x18; }, behind},
      {"FIN", [](PacketSpec& s) { s.tcp_flags = 0x11; }, behind},
      {"SYN", [](PacketSpec& s) { s.tcp_flags = 0x12; }, none},
      {"RST", [](PacketSpec& s) { s.tcp_flags = 0x14; }, none},
      {"URG", [](PacketSpec& s) { s.tcp_flags = 0x30; }, none},
      {"CWR", [](PacketSpec& s) { s.tcp_flags = 0x90; }, none},
      {"ECE", [](PacketSpec& s) { s.tcp_flags = 0x50; }, none},
      {"no ACK", [](PacketSpec& s) { s.tcp_flags = 0x00; }, none},
      {"a gap", [](PacketSpec& s) { s.sequence += 1; }, none},
      {"a repetition", [](PacketSpec& s) { s.sequence -= 1000; }, none},
      {"another identification", [](PacketSpec& s) { s.id += 5; }, none},
      {"options", [](PacketSpec& s) { s.tcp_options[11] = 2; }, none},
      {"fewer options", [](PacketSpec& s) { s.tcp_options.resize(8); }, none},
      {"IP options", [](PacketSpec& s) { s.ip_options = Bytes(4, 1); }, none},
      {"a tag", [](PacketSpec& s) { s.tags = {0x8100}; }, none},
      {"IPv6", [](PacketSpec& s) { s.ip_version = 6; }, none},
      {"UDP", [](PacketSpec& s) { s.udp = true; }, none},
      {"shorter", [](PacketSpec& s) { s.data.resize(999); }, behind},
      {"longer", [](PacketSpec& s) { s.data.resize(1001); }, none},
      {"no payload", [](PacketSpec& s) { s.data.clear(); }, none},
      {"unfinished", [](PacketSpec& s) { s.finished = false; }, none},
  };
  for (const Middle& row : rows) {
    CAPTURE(row.what);
    CHECK(runs_with(tcp, row) == row.expected);
  }
  const PacketSpec udp{.udp = true, .data = Bytes(1000, 7)};
  CHECK(runs_with(udp, rows[0]) == all);
  CHECK(runs_with(udp, {"shorter", [](PacketSpec& s) { s.data.resize(999); }, {}}) == behind);
  CHECK(runs_with(udp, {"longer", [](PacketSpec& s) { s.data.resize(1001); }, {}}) == Lengths{1, 2});
  const PacketSpec six{.ip_version = 6, .data = Bytes(1000, 7)};
  CHECK(runs_with(six, rows[0]) == all);
  CHECK(runs_with(six, {"extension", [](PacketSpec& s) { s.extensions = {0, 0, 5, 2, 0, 0, 1, 0}; }, {}}) == none);
}

TEST_CASE("coalescer: one wrong byte anywhere keeps the frame out, or says that it matters to nobody") {
  const PacketSpec spec{.data = Bytes(100, 7)};
  PacketSpec second = spec;
  second.sequence += 100;
  second.id++;
  const Bytes good = test::build(second).bytes;
  for (size_t at = 0; at < good.size(); ++at) {
    for (uint8_t bit : {0x01, 0x10, 0x80}) {
      for (bool first : {false, true}) {
        CAPTURE(at);
        CAPTURE(first);
        LentBurst lent;
        lent.add(test::build(spec).bytes);
        lent.add(good);
        lent.piece(first ? 0 : 1)[at] ^= bit;
        REQUIRE(test::lengths(test::coalesce(lent.burst(), ethernet)) == Lengths{1, 1});
      }
    }
  }
}

TEST_CASE("coalescer: padding is not payload") {
  LentBurst lent;
  for (uint32_t i = 0; i < 2; ++i) {
    Bytes frame = test::build({.sequence = 2 * i, .id = uint16_t(i), .data = Bytes(2, 7)}).bytes;
    frame.resize(60);
    lent.add(frame);
  }
  CHECK(test::lengths(test::coalesce(lent.burst(), ethernet)) == Lengths{1, 1});
}

TEST_CASE("coalescer: a UDP datagram without checksum stays alone") {
  LentBurst lent;
  for (uint16_t i = 0; i < 2; ++i) {
    Bytes frame = test::build({.udp = true, .id = i, .data = Bytes(100, 7)}).bytes;
    test::put16(frame, 14 + 20 + 6, 0);
    lent.add(frame);
  }
  CHECK(test::lengths(test::coalesce(lent.burst(), ethernet)) == Lengths{1, 1});
}

TEST_CASE("coalescer: an identification may stand still, if the packet is never a fragment") {
  for (const bool may_fragment : {false, true}) {
    LentBurst lent;
    for (const uint16_t id : {5, 5, 5, 6, 7}) {
      Bytes frame = test::build({.udp = true, .id = id, .data = Bytes(100, 7)}).bytes;
      if (may_fragment) {
        frame[14 + 6] = 0;
        test::put16(frame, 14 + 10, 0);
        test::put16(frame, 14 + 10, uint16_t(~test::naive_sum(Bytes(frame.begin() + 14, frame.begin() + 34))));
      }
      lent.add(frame);
    }
    const auto runs = test::lengths(test::coalesce(lent.burst(), ethernet));
    CHECK(runs == (may_fragment ? Lengths{1, 1, 3} : Lengths{3, 2}));
  }
}

TEST_CASE("coalescer: a run ends at 64 KiB, at 64 datagrams, and where it has too many pieces") {
  LentBurst tcp, udp, cut;
  for (uint32_t i = 0; i < 100; ++i) {
    tcp.add(test::build({.sequence = i * 1448, .id = uint16_t(i), .data = Bytes(1448, 7)}).bytes);
    udp.add(test::build({.udp = true, .id = uint16_t(i), .data = Bytes(18, 7)}).bytes);
    const Bytes frame = test::build({.sequence = i * 100, .id = uint16_t(i), .data = Bytes(100, 7)}).bytes;
    cut.add(frame, {60, 70, 80, 90});
  }
  CHECK(test::lengths(test::coalesce(tcp.burst(), ethernet)) == Lengths{45, 45, 10});
  CHECK(test::lengths(test::coalesce(udp.burst(), ethernet)) == Lengths{64, 36});
  CHECK(test::lengths(test::coalesce(cut.burst(), ethernet)) == Lengths{51, 49});
}

TEST_CASE("coalescer: frames that are too long, or still have work left, are left alone") {
  LentBurst lent;
  for (uint32_t i = 0; i < 3; ++i)
    lent.add(test::build({.sequence = i * 1000, .id = uint16_t(i), .data = Bytes(1000, 7)}).bytes);
  CHECK(test::lengths(test::coalesce(lent.burst(), {.max_frame = 1054})) == Lengths{3});
  CHECK(test::lengths(test::coalesce(lent.burst(), {.max_frame = 1053})) == Lengths{1, 1, 1});
  lent.burst().offloads[0] = {.needs_checksum = true};
  lent.burst().frames[1].offload = 1;
  CHECK(test::lengths(test::coalesce(lent.burst(), ethernet)) == Lengths{1, 1, 1});
}

TEST_CASE("coalescer: UDP is left alone where it is not wanted") {
  LentBurst lent;
  for (uint16_t i = 0; i < 3; ++i) lent.add(test::build({.udp = true, .id = i, .data = Bytes(100, 7)}).bytes);
  for (uint32_t i = 0; i < 2; ++i)
    lent.add(test::build({.sequence = i * 100, .id = uint16_t(i), .data = Bytes(100, 7)}).bytes);
  CHECK(test::lengths(test::coalesce(lent.burst(), ethernet)) == Lengths{3, 2});
  CHECK(test::lengths(test::coalesce(lent.burst(), {.max_frame = 9022, .udp = false})) == Lengths{1, 1, 1, 2});
}

TEST_CASE("coalescer: runs follow each other, and only the frames asked for are looked at") {
  LentBurst lent;
  for (uint32_t i = 0; i < 8; ++i)
    lent.add(test::build({.sequence = i * 100, .id = uint16_t(i), .data = Bytes(i == 4 ? 50 : 100, 7)}).bytes);
  Coalescer runs(lent.burst(), 1, 6, ethernet);
  REQUIRE(runs.next());
  CHECK(runs.frames() == 4);  // 1, 2, 3, and 4, which is shorter
  CHECK(runs.header().length == 54);
  REQUIRE(runs.next());
  CHECK(runs.frames() == 2);  // 5 and 6, behind a gap
  CHECK_FALSE(runs.next());
  Coalescer nothing(lent.burst(), 3, 0, ethernet);
  CHECK_FALSE(nothing.next());
}

}  // namespace
}  // namespace crosswire

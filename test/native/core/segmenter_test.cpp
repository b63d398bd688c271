// SPDX-License-Identifier: Apache-2.0
#include "core/segmenter.hpp"

#include <doctest/doctest.h>

#include "core/offload.hpp"
#include "support/packet.hpp"
#include "support/split.hpp"

namespace crosswire {
namespace {

using test::Bytes;
using test::LentFrame;
using test::PacketSpec;

CheckedOffload offload_of(const test::Packet& packet, const PacketSpec& spec, uint8_t gso_type, uint16_t segment_size) {
  const VirtioHeader claim{.flags = 1,
                           .gso_type = gso_type,
                           .gso_size = segment_size,
                           .checksum_start = static_cast<uint16_t>(packet.transport),
                           .checksum_offset = static_cast<uint16_t>(spec.udp ? 6 : 16)};
  return check_offload(claim, packet.bytes, static_cast<uint32_t>(packet.bytes.size()),
                       spec.ethernet ? Payload::ethernet : Payload::ip);
}

uint8_t gso_type_of(const PacketSpec& spec) {
  if (spec.udp) return VirtioHeader::gso_udp;
  return spec.ip_version == 4 ? VirtioHeader::gso_tcp4 : VirtioHeader::gso_tcp6;
}

std::vector<PacketSpec> shapes() {
  const Bytes hop_by_hop_then_routing = {43, 0, 5, 2, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 0, 0};
  const Bytes authentication = Bytes(16, 0);  // its length field is patched below
  std::vector<PacketSpec> shapes;
  for (bool ethernet : {true, false}) {
    for (bool udp : {false, true}) {
      shapes.push_back({.ethernet = ethernet, .udp = udp, .tcp_flags = 0x99});  // CWR ACK PSH FIN
      shapes.push_back({.ethernet = ethernet, .ip_version = 6, .udp = udp, .tcp_flags = 0x99});
      shapes.push_back({.ethernet = ethernet, .udp = udp, .ip_options = Bytes(8, 1), .tcp_options = Bytes(12, 1)});
      PacketSpec extended{.ethernet = ethernet, .ip_version = 6, .udp = udp};
      extended.extensions = hop_by_hop_then_routing;
      extended.last_extension = 8;
      extended.other_destination = true;
      shapes.push_back(extended);
      extended.extensions = authentication;
      extended.extensions[1] = 2;  // (2 + 2) · 4 bytes
      extended.first_extension = 51;
      extended.last_extension = 0;
      extended.other_destination = false;
      shapes.push_back(extended);
    }
    if (!ethernet) continue;
    shapes.push_back({.tags = {0x8100}});
    shapes.push_back({.tags = {0x88a8, 0x8100}, .ip_version = 6});
    shapes.push_back({.tags = {0x8100, 0x8100}, .udp = true});
  }
  return shapes;
}

TEST_CASE("segmenter: every shape of super-frame splits into the frames built one by one") {
  std::mt19937 random(3);
  for (PacketSpec spec : shapes()) {
    for (uint32_t segment_size : {1u, 7u, 536u, 1448u, 8948u}) {
      for (int round = 0; round < 6; ++round) {
        const size_t most = std::min<size_t>(64000, segment_size * 60);
        spec.data = test::random_bytes(random, segment_size + 1 + random() % most);
        if (spec.data.size() > 64000) spec.data.resize(64000);
        spec.finished = false;
        const test::Packet packet = test::build(spec);
        const CheckedOffload checked = offload_of(packet, spec, gso_type_of(spec), uint16_t(segment_size));
        REQUIRE_FALSE(checked.refused);
        const std::vector<Bytes> expected = test::build_segments(spec, segment_size);
        REQUIRE(checked.units == expected.size());

        LentFrame lent(packet.bytes, test::random_cuts(random, packet.bytes.size()), checked.offload, checked.units);
        Segmenter segmenter(lent.burst(), lent.frame(), spec.ethernet ? Payload::ethernet : Payload::ip);
        REQUIRE_FALSE(segmenter.refused());
        const std::vector<Bytes> frames = test::drain(segmenter, 1 + random() % 3000);
        REQUIRE(frames == expected);

        uint64_t bytes = 0;
        for (const Bytes& frame : frames) bytes += frame.size();
        REQUIRE(bytes == wire_bytes(lent.frame(), lent.burst().offload_of(lent.frame())));
        REQUIRE(frames[0].size() == longest_wire_frame(lent.frame(), lent.burst().offload_of(lent.frame())));
      }
    }
  }
}

TEST_CASE("segmenter: a lone checksum is finished, whatever the segments") {
  std::mt19937 random(4);
  for (PacketSpec spec : shapes()) {
    for (size_t length : {0u, 1u, 100u, 1401u, 9000u}) {
      spec.data = test::random_bytes(random, length);
      spec.finished = false;
      const test::Packet packet = test::build(spec);
      const CheckedOffload checked = offload_of(packet, spec, VirtioHeader::gso_none, 0);
      REQUIRE(checked.present);
      LentFrame lent(packet.bytes, test::random_cuts(random, packet.bytes.size()), checked.offload);
      Segmenter segmenter(lent.burst(), lent.frame(), spec.ethernet ? Payload::ethernet : Payload::ip);
      spec.finished = true;
      REQUIRE(test::drain(segmenter, 1 + random() % 3000) == std::vector<Bytes>{test::build(spec).bytes});
    }
  }
}

TEST_CASE("segmenter: a UDP checksum that comes out as zero is sent as 0xffff") {
  PacketSpec spec{.udp = true, .data = {0, 0}, .finished = true};
  const Bytes without = test::build(spec).bytes;
  // Put the checksum itself into the data: the sum becomes 0xffff, its complement 0.
  spec.data = {without[14 + 20 + 6], without[14 + 20 + 7]};
  spec.finished = false;
  const test::Packet packet = test::build(spec);
  LentFrame lent(packet.bytes, {}, offload_of(packet, spec, VirtioHeader::gso_none, 0).offload);
  Segmenter segmenter(lent.burst(), lent.frame(), Payload::ethernet);
  const auto frames = test::drain(segmenter, 9000);
  REQUIRE(frames.size() == 1);
  CHECK(frames[0][40] == 0xff);
  CHECK(frames[0][41] == 0xff);
}

TEST_CASE("segmenter: a frame without offload yields itself, untouched and uncopied") {
  const Bytes bytes = {1, 2, 3, 4, 5};
  LentFrame lent(bytes, {2}, {});
  Segmenter segmenter(lent.burst(), lent.frame(), Payload::ethernet);
  REQUIRE(segmenter.next());
  CHECK(segmenter.length() == 5);
  CHECK(segmenter.take(100).data == lent.frame().data);
  CHECK(segmenter.take(100).length == 3);
  CHECK(segmenter.take(100).length == 0);
  CHECK_FALSE(segmenter.next());
}

TEST_CASE("segmenter: a frame left half taken does not disturb the next one") {
  PacketSpec spec{.data = Bytes(2500, 9), .finished = false};
  const test::Packet packet = test::build(spec);
  const CheckedOffload checked = offload_of(packet, spec, VirtioHeader::gso_tcp4, 1000);
  LentFrame lent(packet.bytes, {60, 1100, 2000}, checked.offload, checked.units);
  Segmenter segmenter(lent.burst(), lent.frame(), Payload::ethernet);
  REQUIRE(segmenter.next());
  CHECK(segmenter.take(10).length == 10);
  const auto rest = test::drain(segmenter, 700);
  const auto expected = test::build_segments(spec, 1000);
  REQUIRE(rest.size() == 2);
  CHECK(rest[0] == expected[1]);
  CHECK(rest[1] == expected[2]);
}

TEST_CASE("segmenter: a checksum field out of reach is refused") {
  const Bytes bytes(1000, 1);
  const auto refused = [&](uint16_t start, uint16_t offset, size_t length = 1000) {
    LentFrame lent(Bytes(length, 1), {},
                   Offload{.needs_checksum = true, .checksum_start = start, .checksum_offset = offset});
    return Segmenter(lent.burst(), lent.frame(), Payload::ethernet).refused();
  };
  CHECK_FALSE(refused(200, 54));
  CHECK(refused(200, 55) == DropReason::bad_checksum);
  CHECK(refused(0xffff, 0xffff) == DropReason::bad_checksum);
  CHECK(refused(40, 10, 51) == DropReason::bad_checksum);
}

TEST_CASE("segmenter: headers rewritten after the source's check are refused, not followed") {
  PacketSpec spec{.data = Bytes(2500, 9), .finished = false};
  const test::Packet packet = test::build(spec);
  const CheckedOffload checked = offload_of(packet, spec, VirtioHeader::gso_tcp4, 1000);
  for (const auto& [at, value] : {std::pair{14, 0x4f}, {14, 0x65}, {13, 0xdd}, {46, 0xf0}, {46, 0x00}, {23, 17}}) {
    CAPTURE(at);
    LentFrame lent(packet.bytes, {}, checked.offload, checked.units);
    lent.pieces()[0][size_t(at)] = uint8_t(value);
    Segmenter segmenter(lent.burst(), lent.frame(), Payload::ethernet);
    CHECK(segmenter.refused() == DropReason::bad_offload);
    CHECK_FALSE(segmenter.next());
  }
}

}  // namespace
}  // namespace crosswire

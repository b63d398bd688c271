// SPDX-License-Identifier: Apache-2.0
#include "core/offload.hpp"

#include <doctest/doctest.h>

// linux/virtio_net.h names a member `class`; the authority for the numbers in core/offload.hpp all the same.
#define class class_
#include <linux/virtio_net.h>
#undef class

#include <cstddef>
#include <string>

#include "support/packet.hpp"

namespace crosswire {
namespace {

static_assert(sizeof(virtio_net_hdr) == VirtioHeader::size && offsetof(virtio_net_hdr, gso_size) == 4 &&
              offsetof(virtio_net_hdr, csum_start) == 6 && offsetof(virtio_net_hdr, csum_offset) == 8);
static_assert(VirtioHeader::flag_needs_checksum == VIRTIO_NET_HDR_F_NEEDS_CSUM &&
              VirtioHeader::gso_tcp4 == VIRTIO_NET_HDR_GSO_TCPV4 &&
              VirtioHeader::gso_tcp6 == VIRTIO_NET_HDR_GSO_TCPV6 && VirtioHeader::gso_ecn == VIRTIO_NET_HDR_GSO_ECN);

using test::Bytes;
using test::PacketSpec;

CheckedOffload check(const VirtioHeader& claim, const Bytes& frame, bool ethernet = true) {
  return check_offload(claim, frame, static_cast<uint32_t>(frame.size()), ethernet ? Payload::ethernet : Payload::ip);
}

VirtioHeader claim_for(const test::Packet& packet, uint8_t gso_type, uint16_t size, bool udp = false) {
  return {.flags = 1,
          .gso_type = gso_type,
          .header_length = 9999,  // a lie that must not matter
          .gso_size = size,
          .checksum_start = static_cast<uint16_t>(packet.transport),
          .checksum_offset = static_cast<uint16_t>(udp ? 6 : 16)};
}

TEST_CASE("offload: the virtio header is little-endian and ten bytes long") {
  const VirtioHeader header{1, VirtioHeader::gso_tcp6 | VirtioHeader::gso_ecn, 0x1122, 0x3344, 0x5566, 0x7788};
  Bytes bytes(VirtioHeader::size);
  encode_virtio(header, bytes.data());
  CHECK(bytes == Bytes{1, 0x84, 0x22, 0x11, 0x44, 0x33, 0x66, 0x55, 0x88, 0x77});
  const VirtioHeader read = decode_virtio(bytes.data());
  CHECK(read.gso_type == 0x84);
  CHECK(read.header_length == 0x1122);
  CHECK(read.gso_size == 0x3344);
  CHECK(read.checksum_start == 0x5566);
  CHECK(read.checksum_offset == 0x7788);
}

TEST_CASE("offload: a claim that asks for nothing leaves the frame complete") {
  const CheckedOffload checked = check({}, Bytes(60));
  CHECK_FALSE(checked.refused);
  CHECK_FALSE(checked.present);
  CHECK(checked.units == 1);
}

TEST_CASE("offload: a checksum is taken for any protocol, wherever its field lies inside the frame") {
  VirtioHeader claim{.flags = 1, .checksum_start = 40, .checksum_offset = 18};
  const CheckedOffload checked = check(claim, Bytes(60, 0xee));
  REQUIRE_FALSE(checked.refused);
  CHECK(checked.present);
  CHECK(checked.offload.needs_checksum);
  CHECK(checked.offload.segmentation == Offload::Segmentation::none);

  CHECK(check(claim, Bytes(59, 0xee)).refused == DropReason::bad_checksum);
  claim.checksum_start = claim.checksum_offset = 0xffff;
  CHECK(check(claim, Bytes(60)).refused == DropReason::bad_checksum);
}

TEST_CASE("offload: super-frames of every shape are measured by their own headers") {
  const Bytes hop_by_hop = {0, 0, 5, 2, 0, 0, 1, 0};
  struct Row {
    const char* what;
    PacketSpec spec;
    uint8_t gso_type;
    uint16_t header_length;
  };
  std::vector<Row> rows = {
      {"tcp4", {}, VirtioHeader::gso_tcp4, 14 + 20 + 20},
      {"tcp4 with ecn", {}, VirtioHeader::gso_tcp4 | VirtioHeader::gso_ecn, 54},
      {"tagged", {.tags = {0x8100}}, VirtioHeader::gso_tcp4, 58},
      {"qinq", {.tags = {0x88a8, 0x8100}}, VirtioHeader::gso_tcp4, 62},
      {"ip and tcp options", {.ip_options = Bytes(40, 1), .tcp_options = Bytes(40, 1)}, VirtioHeader::gso_tcp4, 134},
      {"tcp6", {.ip_version = 6}, VirtioHeader::gso_tcp6, 74},
      {"tcp6 with an extension", {.ip_version = 6, .extensions = hop_by_hop}, VirtioHeader::gso_tcp6, 82},
      {"udp4", {.udp = true}, VirtioHeader::gso_udp, 42},
      {"udp6 on ip", {.ethernet = false, .ip_version = 6, .udp = true}, VirtioHeader::gso_udp, 48},
      {"tcp4 on ip", {.ethernet = false}, VirtioHeader::gso_tcp4, 40},
  };
  for (Row& row : rows) {
    CAPTURE(row.what);
    row.spec.data = Bytes(4001, 7);
    row.spec.finished = false;
    const test::Packet packet = test::build(row.spec);
    const CheckedOffload checked =
        check(claim_for(packet, row.gso_type, 1000, row.spec.udp), packet.bytes, row.spec.ethernet);
    REQUIRE_FALSE(checked.refused);
    CHECK(checked.present);
    CHECK(checked.units == 5);
    CHECK(checked.offload.needs_checksum);
    CHECK(checked.offload.header_length == row.header_length);
    CHECK(checked.offload.segment_size == 1000);
    CHECK(checked.offload.congestion == ((row.gso_type & 0x80) != 0));

    const VirtioHeader again = claim_of(&checked.offload);
    CHECK(again.flags == 1);
    CHECK(again.gso_type == row.gso_type);
    CHECK(again.header_length == row.header_length);
    CHECK(again.gso_size == 1000);
    CHECK(again.checksum_start == packet.transport);
  }
}

TEST_CASE("offload: a super-frame of one segment only lacks its checksum") {
  const test::Packet packet = test::build({.data = Bytes(1000), .finished = false});
  const CheckedOffload checked = check(claim_for(packet, VirtioHeader::gso_tcp4, 1000), packet.bytes);
  REQUIRE_FALSE(checked.refused);
  CHECK(checked.units == 1);
  CHECK(checked.offload.segmentation == Offload::Segmentation::none);
  CHECK(checked.offload.needs_checksum);
}

TEST_CASE("offload: requests that the frame's headers contradict are refused") {
  const PacketSpec spec{.data = Bytes(3000), .finished = false};
  const test::Packet packet = test::build(spec);
  const VirtioHeader good = claim_for(packet, VirtioHeader::gso_tcp4, 1000);
  REQUIRE_FALSE(check(good, packet.bytes).refused);

  const auto refused = [&](auto change) {
    VirtioHeader claim = good;
    Bytes bytes = packet.bytes;
    change(claim, bytes);
    return check(claim, bytes).refused;
  };
  using Claim = VirtioHeader&;
  const auto bad = DropReason::bad_offload;
  CHECK(refused([](Claim claim, Bytes&) { claim.flags = 0; }) == bad);
  CHECK(refused([](Claim claim, Bytes&) { claim.gso_size = 0; }) == bad);
  CHECK(refused([](Claim claim, Bytes&) { claim.gso_type = VirtioHeader::gso_tcp6; }) == bad);
  CHECK(refused([](Claim claim, Bytes&) { claim.gso_type = VirtioHeader::gso_udp; }) == bad);
  CHECK(refused([](Claim claim, Bytes&) { claim.gso_type = VIRTIO_NET_HDR_GSO_UDP; }) == bad);
  CHECK(refused([](Claim claim, Bytes&) { claim.gso_type = 0x7f; }) == bad);
  CHECK(refused([](Claim claim, Bytes&) { claim.checksum_start -= 1; }) == bad);
  CHECK(refused([](Claim claim, Bytes&) { claim.checksum_offset = 6; }) == bad);
  CHECK(refused([](Claim, Bytes& bytes) { bytes[12] = 0x88; }) == bad);       // no IP
  CHECK(refused([](Claim, Bytes& bytes) { bytes[14] = 0x55; }) == bad);       // version 5
  CHECK(refused([](Claim, Bytes& bytes) { bytes[14] = 0x44; }) == bad);       // header of 16 bytes
  CHECK(refused([](Claim, Bytes& bytes) { bytes[14] = 0x4f; }) == bad);       // TCP elsewhere
  CHECK(refused([](Claim, Bytes& bytes) { bytes[20] = 0x20; }) == bad);       // a fragment
  CHECK(refused([](Claim, Bytes& bytes) { bytes[23] = 132; }) == bad);        // SCTP
  CHECK(refused([](Claim, Bytes& bytes) { bytes[34 + 12] = 0x40; }) == bad);  // TCP header of 16 bytes
  CHECK(refused([](Claim, Bytes& bytes) { bytes.resize(53); }) == bad);       // cut in the TCP header
  CHECK(refused([](Claim, Bytes& bytes) { bytes.resize(13); }) == DropReason::bad_checksum);
}

TEST_CASE("offload: more segments than any sender makes are refused") {
  const test::Packet packet = test::build({.data = Bytes(60000), .finished = false});
  CHECK(check(claim_for(packet, VirtioHeader::gso_tcp4, 1), packet.bytes).refused == DropReason::bad_offload);
  CHECK(check(claim_for(packet, VirtioHeader::gso_tcp4, 8), packet.bytes).units == 7500);
}

TEST_CASE("offload: headers that go on past the private copy are refused") {
  Bytes extensions;
  for (int i = 0; i < 40; ++i) test::append(extensions, {60, 0, 1, 4, 0, 0, 0, 0});
  PacketSpec spec{.ip_version = 6, .extensions = extensions, .first_extension = 60, .last_extension = 39 * 8};
  spec.data = Bytes(3000);
  const test::Packet packet = test::build(spec);
  CHECK(check(claim_for(packet, VirtioHeader::gso_tcp6, 1000), packet.bytes).refused == DropReason::bad_offload);

  Bytes tags(12);
  while (tags.size() < 2000) test::append(tags, {0x81, 0x00, 0x00, 0x01});
  CHECK_FALSE(parse_transport(tags, Payload::ethernet));
}

TEST_CASE("headers: the head of a frame is copied across its segments") {
  const Bytes a = {1, 2, 3}, b = {4}, c = {5, 6, 7, 8};
  Burst burst;
  burst.segments[7] = {b.data(), 1};
  burst.segments[8] = {c.data(), 4};
  const Frame frame{.data = a.data(), .head_length = 3, .length = 8, .more = 2, .first_more = 7};
  Bytes out(8, 0);
  CHECK(copy_head(burst, frame, out.data(), 6) == 6);
  CHECK(out == Bytes{1, 2, 3, 4, 5, 6, 0, 0});
  CHECK(copy_head(burst, frame, out.data(), 100) == 8);
  CHECK(out == Bytes{1, 2, 3, 4, 5, 6, 7, 8});
}

}  // namespace
}  // namespace crosswire

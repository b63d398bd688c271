// SPDX-License-Identifier: Apache-2.0
#include "core/checksum.hpp"

#include <doctest/doctest.h>

#include "core/checksum_avx2.hpp"
#include "support/packet.hpp"

namespace crosswire {
namespace {

uint16_t sum_of(const test::Bytes& bytes) {
  Checksum checksum;
  checksum.add(bytes.data(), bytes.size());
  return checksum.sum();
}

TEST_CASE("checksum: the example of RFC 1071 §3") {
  CHECK(sum_of({0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7}) == 0xddf2);
}

TEST_CASE("checksum: an IPv4 header in the wild") {
  const test::Bytes header = {0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
                              0x00, 0x00, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7};
  Checksum checksum;
  checksum.add(header.data(), header.size());
  CHECK(checksum.complement() == 0xb861);
}

TEST_CASE("checksum: every length at every alignment equals the plain loop") {
  std::mt19937 random(1);
  const test::Bytes memory = test::random_bytes(random, 400);
  for (size_t offset = 0; offset < 33; ++offset) {
    for (size_t length = 0; offset + length <= 400; ++length) {
      const test::Bytes part(memory.begin() + long(offset), memory.begin() + long(offset + length));
      Checksum checksum;
      checksum.add(memory.data() + offset, length);
      REQUIRE(checksum.sum() == test::naive_sum(part));
    }
  }
}

TEST_CASE("checksum: the way of this CPU and the way of any equal each other, for megabytes of the largest words too") {
  if (!has_avx2) {
    MESSAGE("skipped: this CPU has no AVX2");
    return;
  }
  std::mt19937 random(8);
  for (const size_t blocks : {1u, 3u, 4u, 5u, 46u, 2047u, 40000u}) {
    for (const bool largest : {false, true}) {
      const size_t length = blocks * checksum_block;
      const test::Bytes memory = largest ? test::Bytes(length, 0xff) : test::random_bytes(random, length);
      uint64_t expected = 0;
      for (size_t i = 0; i < length; i += 2) expected += uint64_t{memory[i]} | uint64_t{memory[i + 1]} << 8;
      REQUIRE(sum_blocks_avx2(memory.data(), length) == expected);
    }
  }
}

TEST_CASE("checksum: pieces of any length, odd ones too, sum like the whole") {
  std::mt19937 random(2);
  for (int round = 0; round < 2000; ++round) {
    const test::Bytes memory = test::random_bytes(random, random() % 3000);
    Checksum checksum;
    for (size_t at = 0; at < memory.size();) {
      const size_t length = std::min<size_t>(random() % 90, memory.size() - at);
      checksum.add(memory.data() + at, length);
      at += length;
    }
    REQUIRE(checksum.sum() == test::naive_sum(memory));
  }
}

TEST_CASE("checksum: the largest frame of the largest words does not overflow") {
  const test::Bytes ones(65557, 0xff);
  CHECK(sum_of(ones) == test::naive_sum(ones));
}

TEST_CASE("checksum: numbers count as words, and subtraction takes them out again") {
  const test::Bytes words = {0x12, 0x34, 0xfe, 0xdc};
  Checksum checksum;
  checksum.add(words.data(), 2);
  checksum.add_number(0xfedc);
  CHECK(checksum.sum() == test::naive_sum(words));
  CHECK(ones_complement_subtract(checksum.sum(), 0xfedc) == 0x1234);
  CHECK(ones_complement_subtract(0x0001, 0x0002) == 0xfffe);  // −1
}

}  // namespace
}  // namespace crosswire

// SPDX-License-Identifier: Apache-2.0
// The control messages of memif 2.0 (memif contract §3): one SEQPACKET record of 128 bytes each, packed, in host byte
// order. Bytes after the last field are undefined in messages of peers, and zero in ours.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace crosswire::memif {

static_assert(std::endian::native == std::endian::little, "the shared words of ring.hpp assume it");

inline constexpr uint16_t protocol_version = 0x0200;
inline constexpr size_t message_size = 128;
inline constexpr uint8_t max_log2_ring_size = 14;
inline constexpr uint16_t ring_flag_s2m = 1;  // of AddRing: client to server
inline constexpr size_t secret_size = 24;

enum class MessageType : uint16_t { none, ack, hello, init, add_region, add_ring, connect, connected, disconnect };

#pragma pack(push, 1)
struct Hello {
  char name[32];
  uint16_t min_version, max_version;
  uint16_t max_region, max_m2s_ring, max_s2m_ring;  // the highest index: count - 1
  uint8_t max_log2_ring_size;
};
struct Init {
  uint16_t version;
  uint32_t id;
  uint8_t mode;
  char secret[secret_size];
  char name[32];
};
struct AddRegion {
  uint16_t index;
  uint64_t size;
};
struct AddRing {
  uint16_t flags;
  uint16_t index;
  uint16_t region;
  uint32_t offset;
  uint8_t log2_ring_size;
  uint16_t private_header_size;
};
struct Connect {  // CONNECTED too
  char interface_name[32];
};
struct Disconnect {
  uint32_t code;
  char text[96];
};
#pragma pack(pop)

// Offsets count from the body, which begins at byte 2 of the record.
static_assert(sizeof(Hello) == 43 && offsetof(Hello, min_version) == 32 && offsetof(Hello, max_region) == 36);
static_assert(offsetof(Hello, max_m2s_ring) == 38 && offsetof(Hello, max_s2m_ring) == 40);
static_assert(sizeof(Init) == 63 && offsetof(Init, id) == 2 && offsetof(Init, mode) == 6);
static_assert(offsetof(Init, secret) == 7 && offsetof(Init, name) == 31);
static_assert(sizeof(AddRegion) == 10 && offsetof(AddRegion, size) == 2);
static_assert(sizeof(AddRing) == 13 && offsetof(AddRing, region) == 4 && offsetof(AddRing, offset) == 6);
static_assert(offsetof(AddRing, log2_ring_size) == 10 && offsetof(AddRing, private_header_size) == 11);
static_assert(sizeof(Connect) == 32 && sizeof(Disconnect) == 100 && offsetof(Disconnect, text) == 4);

using Message = std::array<uint8_t, message_size>;

inline Message encode(MessageType type) {
  Message message{};
  std::memcpy(message.data(), &type, sizeof type);
  return message;
}

template <class Body>
Message encode(MessageType type, const Body& body) {
  static_assert(sizeof(Body) <= message_size - sizeof type);
  Message message = encode(type);
  std::memcpy(message.data() + sizeof type, &body, sizeof body);
  return message;
}

inline MessageType type_of(const Message& message) {
  MessageType type;
  std::memcpy(&type, message.data(), sizeof type);
  return type;
}

template <class Body>
Body decode(const Message& message) {
  Body body;
  std::memcpy(&body, message.data() + sizeof(MessageType), sizeof body);
  return body;
}

// Fills a text field, cut so that it ends with a NUL.
template <size_t size>
void set_text(char (&field)[size], std::string_view text) {
  const size_t length = text.size() < size ? text.size() : size - 1;
  std::memset(field, 0, size);
  std::memcpy(field, text.data(), length);
}

}  // namespace crosswire::memif

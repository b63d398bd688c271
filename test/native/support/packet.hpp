// SPDX-License-Identifier: Apache-2.0
// Real packets, built with the simplest possible arithmetic: the oracle of the offload tests. Shares no code with
// native/core.
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

namespace crosswire::test {

using Bytes = std::vector<uint8_t>;

inline uint16_t naive_sum(const Bytes& bytes, uint32_t sum = 0) {
  for (size_t i = 0; i < bytes.size(); ++i) {
    sum += i % 2 == 0 ? uint32_t{bytes[i]} << 8 : bytes[i];
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return static_cast<uint16_t>(sum);
}

inline Bytes random_bytes(std::mt19937& random, size_t length) {
  Bytes bytes(length);
  for (auto& byte : bytes) byte = static_cast<uint8_t>(random());
  return bytes;
}

inline void append(Bytes& to, const Bytes& from) { to.insert(to.end(), from.begin(), from.end()); }
inline void append16(Bytes& to, uint32_t value) { append(to, {uint8_t(value >> 8), uint8_t(value)}); }
inline void put16(Bytes& to, size_t at, uint32_t value) {
  to[at] = uint8_t(value >> 8);
  to[at + 1] = uint8_t(value);
}

struct PacketSpec {
  bool ethernet = true;
  std::vector<uint16_t> tags = {};  // TPIDs, outermost first
  int ip_version = 4;
  bool udp = false;
  Bytes ip_options = {};  // IPv4, a multiple of 4
  Bytes extensions = {};  // IPv6, complete except for the next header of the last one
  uint8_t first_extension = 0;
  size_t last_extension = 0;  // offset of the last one in `extensions`
  Bytes tcp_options = {};     // a multiple of 4
  uint8_t tcp_flags = 0x10;
  uint32_t sequence = 0xfffffe00;  // wraps soon
  uint16_t id = 0xfffe;            // wraps soon
  bool other_destination = false;  // the pseudo header's differs, as behind a routing header
  Bytes data = {};
  bool finished = true;  // false: the checksum field holds the pseudo header's sum
};

struct Packet {
  Bytes bytes;
  size_t network = 0, transport = 0, data = 0;  // offsets
};

inline Packet build(const PacketSpec& spec) {
  Bytes transport;
  append16(transport, 40000);
  append16(transport, 5001);
  if (spec.udp) {
    append16(transport, uint32_t(8 + spec.data.size()));
  } else {
    append16(transport, spec.sequence >> 16);
    append16(transport, spec.sequence & 0xffff);
    append(transport, {0x11, 0x22, 0x33, 0x44});
    append(transport, {uint8_t((20 + spec.tcp_options.size()) / 4 << 4), spec.tcp_flags, 0x7f, 0xff});
  }
  const size_t checksum_at = transport.size();
  append16(transport, 0);
  if (!spec.udp) {
    append16(transport, 0);
    append(transport, spec.tcp_options);
  }
  const size_t transport_header = transport.size();
  append(transport, spec.data);

  const uint8_t protocol = spec.udp ? 17 : 6;
  const size_t address_size = spec.ip_version == 4 ? 4 : 16;
  Bytes source(address_size, 0x0a), destination(address_size, 0x0b), final_destination = destination;
  source.back() = 1;
  destination.back() = 2;
  final_destination.back() = spec.other_destination ? 99 : 2;
  Bytes pseudo = source;
  append(pseudo, final_destination);
  append16(pseudo, uint32_t(transport.size() >> 16));
  append16(pseudo, uint32_t(transport.size()));
  append16(pseudo, protocol);
  uint16_t field = naive_sum(pseudo);
  if (spec.finished) field = static_cast<uint16_t>(~naive_sum(transport, field));
  put16(transport, checksum_at, spec.finished && field == 0 ? 0xffff : field);

  Packet packet;
  Bytes& bytes = packet.bytes;
  if (spec.ethernet) {
    bytes = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1};
    for (uint16_t tag : spec.tags) {
      append16(bytes, tag);
      append16(bytes, 0x2064);
    }
    append16(bytes, spec.ip_version == 4 ? 0x0800 : 0x86dd);
  }
  packet.network = bytes.size();
  Bytes ip;
  if (spec.ip_version == 4) {
    ip = {uint8_t(0x45 + spec.ip_options.size() / 4), 0};
    append16(ip, uint32_t(20 + spec.ip_options.size() + transport.size()));
    append16(ip, spec.id);
    append(ip, {0x40, 0, 64, protocol, 0, 0});
    append(ip, source);
    append(ip, destination);
    append(ip, spec.ip_options);
    put16(ip, 10, static_cast<uint16_t>(~naive_sum(ip)));
  } else {
    Bytes extensions = spec.extensions;
    if (!extensions.empty()) extensions[spec.last_extension] = protocol;
    ip = {0x60, 0, 0x12, 0x34};
    append16(ip, uint32_t(extensions.size() + transport.size()));
    append(ip, {extensions.empty() ? protocol : spec.first_extension, 64});
    append(ip, source);
    append(ip, destination);
    append(ip, extensions);
  }
  append(bytes, ip);
  packet.transport = bytes.size();
  packet.data = bytes.size() + transport_header;
  append(bytes, transport);
  return packet;
}

// What the frames of a super-frame must look like, each built on its own.
inline std::vector<Bytes> build_segments(const PacketSpec& whole, size_t segment_size) {
  std::vector<Bytes> segments;
  for (size_t at = 0; at < whole.data.size(); at += segment_size) {
    const size_t end = std::min(at + segment_size, whole.data.size());
    PacketSpec one = whole;
    one.finished = true;
    one.data.assign(whole.data.begin() + long(at), whole.data.begin() + long(end));
    one.sequence = whole.sequence + uint32_t(at);
    one.id = uint16_t(whole.id + segments.size());
    if (end != whole.data.size()) one.tcp_flags &= 0xff ^ 0x09;  // FIN, PSH
    if (at != 0) one.tcp_flags &= 0x7f;                          // CWR
    segments.push_back(build(one).bytes);
  }
  return segments;
}

}  // namespace crosswire::test

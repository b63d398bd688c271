// SPDX-License-Identifier: Apache-2.0
// After inet_gro_receive() (net/ipv4/af_inet.c), ipv6_gro_receive() (net/ipv6/ip6_offload.c), tcp_gro_receive()
// (net/ipv4/tcp_offload.c) and udp_gro_receive_segment() (net/ipv4/udp_offload.c) of Linux.
#include "core/mergeable.hpp"

#include <cstring>
#include <span>

#include "core/bytes.hpp"

namespace crosswire {
namespace {

constexpr uint8_t tcp_fin = 0x01, tcp_psh = 0x08, tcp_ack = 0x10, tcp_ece = 0x40;
constexpr uint16_t dont_fragment = 0x4000;

uint16_t take_be16(uint8_t* at) {
  const uint16_t value = load_be16(at);
  store_be16(at, 0);
  return value;
}

// The length of the IP packet according to its header; 0 if the header has options or extensions.
uint32_t take_network(Mergeable& out) {
  uint8_t* ip = out.header.data() + out.at.network;
  const uint32_t header_length = out.at.transport - out.at.network;
  if (out.at.ip_version == 6) return header_length == 40 ? 40u + take_be16(ip + 4) : 0;
  if (header_length != 20) return 0;
  out.id = take_be16(ip + 4);
  out.dont_fragment = (load_be16(ip + 6) & dont_fragment) != 0;
  out.ip_checksum = take_be16(ip + 10);
  return take_be16(ip + 2);
}

bool take_tcp(Mergeable& out, uint8_t* tcp) {
  const uint8_t flags = tcp[13];
  if ((flags & ~(tcp_fin | tcp_psh | tcp_ece)) != tcp_ack) return false;
  out.last_flags = flags & (tcp_fin | tcp_psh);
  tcp[13] = flags & static_cast<uint8_t>(~(tcp_fin | tcp_psh));
  out.sequence = load_be32(tcp + 4);
  store_be32(tcp + 4, 0);
  out.checksum = take_be16(tcp + 16);
  return true;
}

bool take_udp(Mergeable& out, uint8_t* udp) {
  out.last_flags = 0;
  const uint16_t length = take_be16(udp + 4);
  out.checksum = take_be16(udp + 6);
  return length == 8 + out.payload_length && out.checksum != 0;  // 0: none (RFC 768)
}

const uint8_t* addresses(const Mergeable& frame) {
  return frame.header.data() + frame.at.network + (frame.at.ip_version == 4 ? 12 : 8);
}

// The sum of the pseudo header without its length (RFC 9293 §3.1, RFC 8200 §8.1).
Checksum pseudo_header(const Mergeable& frame) {
  Checksum sum;
  sum.add(addresses(frame), frame.at.ip_version == 4 ? 8 : 32);
  sum.add_number(frame.at.protocol);
  return sum;
}

uint16_t transport_length(const Mergeable& frame, uint32_t payload_length) {
  return static_cast<uint16_t>(frame.at.end - frame.at.transport + payload_length);
}

}  // namespace

bool read_mergeable(const Burst& burst, const Frame& frame, Payload payload, Mergeable& out) noexcept {
  if (frame.offload != 0) return false;
  uint32_t copied = static_cast<uint32_t>(out.header.size());
  if (frame.head_length >= copied) [[likely]] {
    std::memcpy(out.header.data(), frame.data, out.header.size());
  } else {
    copied = copy_head(burst, frame, out.header.data(), copied);
  }
  const auto headers = parse_transport({out.header.data(), copied}, payload);
  if (!headers || headers->end > max_mergeable_header || headers->end >= frame.length) return false;
  out.at = *headers;
  out.payload_length = frame.length - headers->end;
  if (take_network(out) != frame.length - headers->network) return false;
  uint8_t* transport = out.header.data() + headers->transport;
  return out.is_tcp() ? take_tcp(out, transport) : take_udp(out, transport);
}

SharedSums::SharedSums(const Mergeable& any) noexcept {
  Checksum network, transport = pseudo_header(any);
  if (any.at.ip_version == 4) network.add(any.header.data() + any.at.network, 20);
  network_ = network.sum();
  transport.add(any.header.data() + any.at.transport, any.at.end - any.at.transport);
  transport_ = transport.sum();
}

bool SharedSums::holds(const Mergeable& frame, std::span<const Segment> payload) const noexcept {
  constexpr uint16_t right = 0xffff;
  const uint16_t length = transport_length(frame, frame.payload_length);
  if (frame.at.ip_version == 4) {
    Checksum network;
    network.add_number(network_);
    network.add_number(static_cast<uint16_t>(20 + length));
    network.add_number(frame.id);
    network.add_number(frame.ip_checksum);
    if (network.sum() != right) return false;
  }
  Checksum transport;
  transport.add_number(transport_);
  transport.add_number(length);
  transport.add_number(frame.checksum);
  if (frame.is_tcp()) {
    transport.add_number(static_cast<uint16_t>(frame.sequence >> 16));
    transport.add_number(static_cast<uint16_t>(frame.sequence));
    transport.add_number(frame.last_flags);
  } else {
    transport.add_number(length);
  }
  for (const Segment& piece : payload) transport.add(piece.data, piece.length);
  return transport.sum() == right;
}

void finish_merged(Mergeable& first, uint32_t payload_length, uint8_t last_flags) noexcept {
  uint8_t* ip = first.header.data() + first.at.network;
  uint8_t* transport = first.header.data() + first.at.transport;
  const uint16_t length = transport_length(first, payload_length);
  if (first.at.ip_version == 6) {
    store_be16(ip + 4, length);
  } else {
    store_be16(ip + 2, static_cast<uint16_t>(20 + length));
    store_be16(ip + 4, first.id);
    Checksum network;
    network.add(ip, 20);
    store_be16(ip + 10, network.complement());
  }
  if (first.is_tcp()) {
    store_be32(transport + 4, first.sequence);
    transport[13] |= last_flags;
  } else {
    store_be16(transport + 4, length);
  }
  Checksum pseudo = pseudo_header(first);
  pseudo.add_number(length);
  store_be16(transport + first.checksum_offset(), pseudo.sum());
}

}  // namespace crosswire

// SPDX-License-Identifier: Apache-2.0
// After tcp_gso_segment() (net/ipv4/tcp_offload.c), __udp_gso_segment() (net/ipv4/udp_offload.c), inet_gso_segment()
// and skb_checksum_help() of Linux.
#include "core/segmenter.hpp"

#include <algorithm>

#include "core/bytes.hpp"
#include "core/offload.hpp"

namespace crosswire {
namespace {

constexpr uint8_t tcp_fin = 0x01, tcp_psh = 0x08, tcp_cwr = 0x80;

}  // namespace

Segmenter::Segmenter(const Burst& burst, const Frame& frame, Payload payload) noexcept : burst_(burst), frame_(frame) {
  if (const Offload* offload = burst.offload_of(frame)) {
    offload_ = *offload;
    if (offload_.segmentation != Offload::Segmentation::none) {
      prepare_segmentation(payload);
    } else if (offload_.needs_checksum) {
      prepare_checksum();
    }
  }
  if (refused_) return;
  remaining_ = frame.length - header_length_;
  skip(ahead_, header_length_);
}

bool Segmenter::next() noexcept {
  if (refused_ || (number_ > 0 && remaining_ == 0)) return false;
  const bool split = offload_.segmentation != Offload::Segmentation::none;
  payload_length_ = split ? std::min<uint32_t>(remaining_, offload_.segment_size) : remaining_;
  remaining_ -= payload_length_;
  reading_ = ahead_;
  header_taken_ = payload_taken_ = 0;
  if (split) {
    finish_network_header();
    finish_transport_header();
  } else if (offload_.needs_checksum) {
    Checksum sum;
    sum.add(header_.data() + offload_.checksum_start, header_length_ - offload_.checksum_start);
    finish_checksum(sum);
  }
  ++number_;
  return true;
}

Segment Segmenter::take(uint32_t at_most) noexcept {
  if (header_taken_ < header_length_) {
    const Segment piece{header_.data() + header_taken_, std::min(at_most, header_length_ - header_taken_)};
    header_taken_ += piece.length;
    return piece;
  }
  const Segment piece = contiguous(reading_, std::min(at_most, payload_length_ - payload_taken_));
  payload_taken_ += piece.length;
  return piece;
}

void Segmenter::prepare_checksum() noexcept {
  const uint32_t end = uint32_t{offload_.checksum_start} + offload_.checksum_offset + 2;
  if (end > max_header || copy_head(burst_, frame_, header_.data(), end) < end) {
    refused_ = DropReason::bad_checksum;
    return;
  }
  header_length_ = end;
}

// The source link checked this request, but the bytes may have changed since. So the copy that is used is checked
// again.
void Segmenter::prepare_segmentation(Payload payload) noexcept {
  const uint32_t end = offload_.header_length;
  refused_ = DropReason::bad_offload;
  if (offload_.segment_size == 0 || end > max_header) return;
  if (copy_head(burst_, frame_, header_.data(), end) < end) return;
  const auto headers = parse_transport({header_.data(), end}, payload);
  if (!headers || !fits_headers(offload_, *headers)) return;
  refused_.reset();
  offload_.needs_checksum = true;
  headers_ = *headers;
  header_length_ = end;
  prepare_network_header();
  prepare_transport_header();
}

void Segmenter::prepare_network_header() noexcept {
  if (headers_.ip_version == 6) return;
  uint8_t* ip = header_.data() + headers_.network;
  id_ = load_be16(ip + 4);
  store_be32(ip + 2, 0);  // length, identification
  store_be16(ip + 10, 0);
  network_sum_.add(ip, (ip[0] & 15) * 4u);
}

// The checksum field holds the pseudo header's sum with the length of the super-frame. That length is subtracted. The
// addresses stay, since they may differ from those of the IP header (IPv6 routing header, RFC 8200 §8.1).
void Segmenter::prepare_transport_header() noexcept {
  uint8_t* transport = header_.data() + headers_.transport;
  uint8_t* field = transport + offload_.checksum_offset;
  const uint32_t whole = frame_.length - headers_.transport;
  Checksum length;
  length.add_number(static_cast<uint16_t>(whole >> 16));
  length.add_number(static_cast<uint16_t>(whole));
  transport_sum_.add_number(ones_complement_subtract(load_be16(field), length.sum()));
  store_be16(field, 0);
  if (offload_.segmentation == Offload::Segmentation::udp) {
    store_be16(transport + 4, 0);
  } else {
    sequence_ = load_be32(transport + 4);
    tcp_flags_ = transport[13];
    store_be32(transport + 4, 0);
    transport[13] = 0;
  }
  transport_sum_.add(transport, header_length_ - headers_.transport);
}

void Segmenter::finish_network_header() noexcept {
  uint8_t* ip = header_.data() + headers_.network;
  const auto ip_length = static_cast<uint16_t>(length() - headers_.network);
  if (headers_.ip_version == 6) {
    store_be16(ip + 4, static_cast<uint16_t>(ip_length - 40));
    return;
  }
  const auto id = static_cast<uint16_t>(id_ + number_);
  Checksum sum = network_sum_;
  sum.add_number(ip_length);
  sum.add_number(id);
  store_be16(ip + 2, ip_length);
  store_be16(ip + 4, id);
  store_be16(ip + 10, sum.complement());
}

void Segmenter::finish_transport_header() noexcept {
  uint8_t* transport = header_.data() + headers_.transport;
  const auto transport_length = static_cast<uint16_t>(length() - headers_.transport);
  Checksum sum = transport_sum_;
  sum.add_number(transport_length);
  if (offload_.segmentation == Offload::Segmentation::udp) {
    sum.add_number(transport_length);
    store_be16(transport + 4, transport_length);
  } else {
    const uint32_t sequence = sequence_ + number_ * offload_.segment_size;
    uint8_t flags = tcp_flags_;
    if (remaining_ > 0) flags &= static_cast<uint8_t>(~(tcp_fin | tcp_psh));
    if (number_ > 0) flags &= static_cast<uint8_t>(~tcp_cwr);
    sum.add_number(static_cast<uint16_t>(sequence >> 16));
    sum.add_number(static_cast<uint16_t>(sequence));
    sum.add_number(flags);
    store_be32(transport + 4, sequence);
    transport[13] = flags;
  }
  finish_checksum(sum);
}

void Segmenter::finish_checksum(Checksum sum) noexcept {
  add_payload(sum);
  // 0 and 0xffff are the same number, but to UDP 0 means "none" (RFC 768); CSUM_MANGLED_0 in Linux.
  const uint16_t value = sum.complement();
  store_be16(header_.data() + offload_.checksum_start + offload_.checksum_offset, value == 0 ? 0xffff : value);
}

void Segmenter::add_payload(Checksum& sum) noexcept {
  for (uint32_t left = payload_length_; left > 0;) {
    const Segment piece = contiguous(ahead_, left);
    if (piece.length == 0) break;
    sum.add(piece.data, piece.length);
    left -= piece.length;
  }
}

Segment Segmenter::contiguous(Cursor& cursor, uint32_t at_most) const noexcept {
  while (cursor.index <= frame_.more) {
    const Segment whole = cursor.index == 0 ? Segment{frame_.data, frame_.head_length}
                                            : burst_.segments[frame_.first_more + cursor.index - 1u];
    if (cursor.offset < whole.length) {
      const Segment piece{whole.data + cursor.offset, std::min(at_most, whole.length - cursor.offset)};
      cursor.offset += piece.length;
      return piece;
    }
    cursor = {cursor.index + 1, 0};
  }
  return {nullptr, 0};
}

void Segmenter::skip(Cursor& cursor, uint32_t bytes) const noexcept {
  while (bytes > 0) {
    const Segment piece = contiguous(cursor, bytes);
    if (piece.length == 0) return;
    bytes -= piece.length;
  }
}

}  // namespace crosswire

// SPDX-License-Identifier: Apache-2.0
// After tcp_gso_segment() (net/ipv4/tcp_offload.c), __udp_gso_segment() (net/ipv4/udp_offload.c), inet_gso_segment()
// and skb_checksum_help() of Linux.
#include "core/segmenter.hpp"

#include <algorithm>
#include <cstring>

#include "core/bytes.hpp"
#include "core/checksum.hpp"
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
  if (header_length_ > 0) std::memcpy(header_.data(), original_.data(), header_length_);
  if (split) {
    finish_network_header();
    finish_transport_header();
  }
  if (offload_.needs_checksum) finish_checksum();
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
  if (end > max_header || copy_head(burst_, frame_, original_.data(), end) < end) {
    refused_ = DropReason::bad_checksum;
    return;
  }
  header_length_ = end;
}

// The source link checked this request, but the bytes may have changed since: check the copy that is going to be used.
void Segmenter::prepare_segmentation(Payload payload) noexcept {
  const uint32_t end = offload_.header_length;
  refused_ = DropReason::bad_offload;
  if (offload_.segment_size == 0 || end > max_header) return;
  if (copy_head(burst_, frame_, original_.data(), end) < end) return;
  const auto headers = parse_transport({original_.data(), end}, payload);
  if (!headers || !fits_headers(offload_, *headers)) return;
  refused_.reset();
  offload_.needs_checksum = true;
  headers_ = *headers;
  header_length_ = end;
}

void Segmenter::finish_network_header() noexcept {
  uint8_t* ip = header_.data() + headers_.network;
  const uint32_t ip_length = length() - headers_.network;
  if (headers_.ip_version == 6) {
    store_be16(ip + 4, static_cast<uint16_t>(ip_length - 40));
    return;
  }
  store_be16(ip + 2, static_cast<uint16_t>(ip_length));
  store_be16(ip + 4, static_cast<uint16_t>(load_be16(ip + 4) + number_));
  store_be16(ip + 10, 0);
  Checksum checksum;
  checksum.add(ip, (ip[0] & 15) * 4u);
  store_be16(ip + 10, checksum.complement());
}

void Segmenter::finish_transport_header() noexcept {
  uint8_t* transport = header_.data() + headers_.transport;
  const uint32_t transport_length = length() - headers_.transport;
  if (offload_.segmentation == Offload::Segmentation::udp) {
    store_be16(transport + 4, static_cast<uint16_t>(transport_length));
  } else {
    store_be32(transport + 4, load_be32(transport + 4) + number_ * offload_.segment_size);
    uint8_t& flags = transport[13];
    if (remaining_ > 0) flags &= static_cast<uint8_t>(~(tcp_fin | tcp_psh));
    if (number_ > 0) flags &= static_cast<uint8_t>(~tcp_cwr);
  }

  // The field holds the pseudo header's sum with the length of the whole: exchange the length and keep the addresses,
  // which need not be those of the IP header (IPv6 routing header, RFC 8200 §8.1).
  uint8_t* field = transport + offload_.checksum_offset;
  Checksum whole, pseudo;
  whole.add_number(static_cast<uint16_t>((frame_.length - headers_.transport) >> 16));
  whole.add_number(static_cast<uint16_t>(frame_.length - headers_.transport));
  pseudo.add_number(ones_complement_subtract(load_be16(field), whole.sum()));
  pseudo.add_number(static_cast<uint16_t>(transport_length));
  store_be16(field, pseudo.sum());
}

void Segmenter::finish_checksum() noexcept {
  Checksum checksum;
  checksum.add(header_.data() + offload_.checksum_start, header_length_ - offload_.checksum_start);
  for (uint32_t left = payload_length_; left > 0;) {
    const Segment piece = contiguous(ahead_, left);
    if (piece.length == 0) break;
    checksum.add(piece.data, piece.length);
    left -= piece.length;
  }
  // 0 and 0xffff are the same number, but to UDP 0 means "none" (RFC 768); CSUM_MANGLED_0 in Linux.
  const uint16_t sum = checksum.complement();
  store_be16(header_.data() + offload_.checksum_start + offload_.checksum_offset, sum == 0 ? 0xffff : sum);
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

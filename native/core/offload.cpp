// SPDX-License-Identifier: Apache-2.0
#include "core/offload.hpp"

#include "core/bytes.hpp"

namespace crosswire {
namespace {

using Segmentation = Offload::Segmentation;

CheckedOffload refuse(DropReason reason) { return {.refused = reason}; }

std::optional<Segmentation> segmentation_of(uint8_t gso_type) {
  switch (gso_type & ~VirtioHeader::gso_ecn) {
    case VirtioHeader::gso_none:
      return Segmentation::none;
    case VirtioHeader::gso_tcp4:
      return Segmentation::tcp4;
    case VirtioHeader::gso_tcp6:
      return Segmentation::tcp6;
    case VirtioHeader::gso_udp:
      return Segmentation::udp;
    default:
      return {};  // VIRTIO_NET_HDR_GSO_UDP (fragmentation, never asked for) or unknown
  }
}

uint8_t gso_type_of(const Offload& offload) {
  switch (offload.segmentation) {
    case Segmentation::none:
      return VirtioHeader::gso_none;
    case Segmentation::tcp4:
      return VirtioHeader::gso_tcp4;
    case Segmentation::tcp6:
      return VirtioHeader::gso_tcp6;
    case Segmentation::udp:
      return VirtioHeader::gso_udp;
  }
  return VirtioHeader::gso_none;
}

}  // namespace

VirtioHeader decode_virtio(const uint8_t* bytes) noexcept {
  return {
      .flags = bytes[0],
      .gso_type = bytes[1],
      .header_length = load_le16(bytes + 2),
      .gso_size = load_le16(bytes + 4),
      .checksum_start = load_le16(bytes + 6),
      .checksum_offset = load_le16(bytes + 8),
  };
}

void encode_virtio(const VirtioHeader& header, uint8_t* bytes) noexcept {
  bytes[0] = header.flags;
  bytes[1] = header.gso_type;
  store_le16(bytes + 2, header.header_length);
  store_le16(bytes + 4, header.gso_size);
  store_le16(bytes + 6, header.checksum_start);
  store_le16(bytes + 8, header.checksum_offset);
}

CheckedOffload check_offload(const VirtioHeader& claim, std::span<const uint8_t> head, uint32_t length,
                             Payload payload) noexcept {
  const auto segmentation = segmentation_of(claim.gso_type);
  const bool needs_checksum = (claim.flags & VirtioHeader::flag_needs_checksum) != 0;
  if (!segmentation) return refuse(DropReason::bad_offload);
  if (!needs_checksum && *segmentation == Segmentation::none) return {};

  // virtio 1.2 §5.1.6.2: who sets gso_type must set NEEDS_CSUM too.
  if (!needs_checksum) return refuse(DropReason::bad_offload);
  if (uint32_t{claim.checksum_start} + claim.checksum_offset + 2 > length) return refuse(DropReason::bad_checksum);
  CheckedOffload checked{.present = true};
  checked.offload.needs_checksum = true;
  checked.offload.checksum_start = claim.checksum_start;
  checked.offload.checksum_offset = claim.checksum_offset;
  if (*segmentation == Segmentation::none) return checked;

  const auto headers = parse_transport(head, payload);
  if (!headers || headers->end > length || claim.gso_size == 0) return refuse(DropReason::bad_offload);
  Offload split = checked.offload;
  split.segmentation = *segmentation;
  split.congestion = (claim.gso_type & VirtioHeader::gso_ecn) != 0;
  split.header_length = headers->end;
  split.segment_size = claim.gso_size;
  if (!fits_headers(split, *headers)) return refuse(DropReason::bad_offload);

  const uint32_t units = (length - headers->end + claim.gso_size - 1) / claim.gso_size;
  if (units > max_units) return refuse(DropReason::bad_offload);
  if (units <= 1) return checked;  // one segment: only its checksum is missing
  checked.offload = split;
  checked.units = static_cast<uint16_t>(units);
  return checked;
}

bool fits_headers(const Offload& offload, const TransportHeaders& headers) noexcept {
  constexpr uint8_t protocol_tcp = 6, protocol_udp = 17;
  constexpr uint16_t tcp_checksum = 16, udp_checksum = 6;  // RFC 9293 §3.1, RFC 768
  const bool tcp = offload.segmentation != Segmentation::udp;
  if (headers.protocol != (tcp ? protocol_tcp : protocol_udp)) return false;
  if (offload.segmentation == Segmentation::tcp4 && headers.ip_version != 4) return false;
  if (offload.segmentation == Segmentation::tcp6 && headers.ip_version != 6) return false;
  return offload.header_length == headers.end && offload.checksum_start == headers.transport &&
         offload.checksum_offset == (tcp ? tcp_checksum : udp_checksum);
}

VirtioHeader claim_of(const Offload* offload) noexcept {
  if (offload == nullptr) return {};
  VirtioHeader claim;
  if (offload->needs_checksum) {
    claim.flags = VirtioHeader::flag_needs_checksum;
    claim.checksum_start = offload->checksum_start;
    claim.checksum_offset = offload->checksum_offset;
  }
  if (offload->segmentation != Segmentation::none) {
    claim.gso_type = gso_type_of(*offload) | (offload->congestion ? VirtioHeader::gso_ecn : uint8_t{0});
    claim.header_length = offload->header_length;
    claim.gso_size = offload->segment_size;
  }
  return claim;
}

}  // namespace crosswire

// SPDX-License-Identifier: Apache-2.0
// Offload state as a TAP device states it, and the check that makes it ours.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "core/drop_reason.hpp"
#include "core/frame.hpp"
#include "core/headers.hpp"

namespace crosswire {

// struct virtio_net_hdr (linux/virtio_net.h, virtio 1.2 §5.1.6), in host order. On the device it is little-endian
// (TUNSETVNETLE) and ten bytes long (TUNSETVNETHDRSZ).
struct VirtioHeader {
  static constexpr uint32_t size = 10;

  static constexpr uint8_t flag_needs_checksum = 1;
  static constexpr uint8_t gso_none = 0, gso_tcp4 = 1, gso_tcp6 = 4, gso_udp = 5;
  static constexpr uint8_t gso_ecn = 0x80;  // or'ed: the first segment carries CWR

  uint8_t flags = 0;
  uint8_t gso_type = 0;
  uint16_t header_length = 0;  // a hint, never trusted
  uint16_t gso_size = 0;
  uint16_t checksum_start = 0;
  uint16_t checksum_offset = 0;
};

VirtioHeader decode_virtio(const uint8_t* bytes) noexcept;
void encode_virtio(const VirtioHeader& header, uint8_t* bytes) noexcept;

// More segments than this are an attack, not traffic: 64 KiB in pieces of the smallest TCP segment (8 bytes, Linux'
// TCP_MIN_GSO_SIZE).
inline constexpr uint32_t max_units = 8192;

struct CheckedOffload {
  std::optional<DropReason> refused;  // bad_checksum or bad_offload
  bool present = false;               // false: the frame is complete as it stands
  Offload offload;
  uint16_t units = 1;
};

// Checks a claim against the frame's own headers; `head` is a private copy of the first min(length, max_header) bytes.
// The claimed header length is ignored (the kernel sets it to more than the headers when it forwards), ours is parsed.
// A checksum alone is taken for any protocol: it is only a field and a range. SCTP's CRC32c is never left to us, since
// a TAP has no NETIF_F_SCTP_CRC and the kernel finishes it before.
CheckedOffload check_offload(const VirtioHeader& claim, std::span<const uint8_t> head, uint32_t length,
                             Payload payload) noexcept;

// Whether a segmentation request fits the headers it was made for.
bool fits_headers(const Offload& offload, const TransportHeaders& headers) noexcept;

// The claim that hands an Offload on to a TAP; null means: complete as it stands.
VirtioHeader claim_of(const Offload* offload) noexcept;

}  // namespace crosswire

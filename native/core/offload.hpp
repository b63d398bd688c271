// SPDX-License-Identifier: Apache-2.0
// Offload state as the kernel states it (virtio_net_hdr), and the check that turns it into an Offload.
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

// More segments than this are an attack, not traffic: 64 KiB in the smallest TCP segments of Linux (8 bytes,
// TCP_MIN_GSO_SIZE).
inline constexpr uint32_t max_units = 8192;

struct CheckedOffload {
  std::optional<DropReason> refused;  // bad_checksum or bad_offload
  bool present = false;               // false: the frame is complete as it stands
  Offload offload;
  uint16_t units = 1;
};

// Checks a claim against the frame's own headers; `head` is a private copy of the first min(length, max_header) bytes.
// The claimed header length is ignored (for forwarded packets it exceeds the headers); the headers are parsed instead.
// A checksum without segmentation is accepted for any protocol, since it is only a field and a range. The kernel never
// leaves SCTP's CRC32c to us, since a TAP has no NETIF_F_SCTP_CRC.
CheckedOffload check_offload(const VirtioHeader& claim, std::span<const uint8_t> head, uint32_t length,
                             Payload payload) noexcept;

// Whether a segmentation request fits the headers it was made for.
bool fits_headers(const Offload& offload, const TransportHeaders& headers) noexcept;

// The claim that passes an Offload on to the kernel; null: the frame is complete as it stands.
VirtioHeader claim_of(const Offload* offload) noexcept;

}  // namespace crosswire

// SPDX-License-Identifier: Apache-2.0
#include "link/kernel/burst_reader.hpp"

#include "core/headers.hpp"

namespace crosswire {

uint32_t BurstReader::accept(std::span<const uint8_t> bytes) noexcept {
  const auto refuse = [&](DropReason reason) { return burst_.drop(reason), 1; };
  const uint32_t shortest = payload_ == Payload::ethernet ? ethernet_header : 1;
  if (bytes.size() < VirtioHeader::size + shortest) return refuse(DropReason::too_short);
  const std::span<const uint8_t> frame = bytes.subspan(VirtioHeader::size);
  const auto length = static_cast<uint32_t>(frame.size());
  if (payload_ == Payload::ip && !starts_ip(frame[0])) return refuse(DropReason::bad_payload);

  const CheckedOffload checked = check_offload(decode_virtio(bytes.data()), frame, length, payload_);
  if (checked.refused) return refuse(*checked.refused);
  Frame& received = burst_.frames[burst_.count++];
  received = Frame{frame.data(), length, length};
  if (!checked.present) return 1;
  burst_.offloads[burst_.offload_count++] = checked.offload;
  received.offload = static_cast<uint16_t>(burst_.offload_count);
  received.units = checked.units;
  return checked.units;
}

void BurstReader::count_loss(int error) noexcept {
  if (error == EMSGSIZE) return burst_.drop(DropReason::too_big);
  burst_.drop(error == EINVAL ? DropReason::bad_offload : DropReason::io_error);
}

}  // namespace crosswire

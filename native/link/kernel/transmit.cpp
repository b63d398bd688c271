// SPDX-License-Identifier: Apache-2.0
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "core/headers.hpp"
#include "core/offload.hpp"
#include "link/kernel/kernel_link.hpp"

namespace crosswire {
namespace {

// The parts of one write(2): virtio_net_hdr, then the frame.
class Parts {
 public:
  explicit Parts(const Offload* offload) {
    encode_virtio(claim_of(offload), virtio_.data());
    add({virtio_.data(), VirtioHeader::size});
  }
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;

  void add(const Segment& part) { parts_[count_++] = {const_cast<uint8_t*>(part.data), part.length}; }
  const iovec* data() const { return parts_.data(); }
  int count() const { return count_; }

 private:
  std::array<uint8_t, VirtioHeader::size> virtio_;
  std::array<iovec, 2 + std::max(Burst::max_more, Coalescer::max_pieces)> parts_;
  int count_ = 0;
};

}  // namespace

Transmitted KernelLink::transmit(const Burst& burst, uint32_t first, uint32_t count) noexcept {
  Transmitted result;
  result.reason = DropReason::link_down;
  if (!frames_) return result;
  Coalescer runs(burst, first, count, {facts_.payload, facts_.max_frame, merges_udp_});
  while (runs.next()) {
    const bool merged = runs.frames() > 1;
    auto refused = merged ? write_merged(runs) : write_frame(burst, burst.frames[first + result.taken]);
    if (!refused) {
      result.taken += runs.frames();
      continue;
    }
    if (merged && concerns_one_frame(*refused)) {
      const Transmitted singles = write_singly(burst, first + result.taken, runs.frames());
      result.taken += singles.taken;
      if (singles.taken == runs.frames()) continue;
      refused = singles.reason;
    }
    result.reason = *refused;
    break;
  }
  return result;
}

// Writes one by one the frames that the kernel refused as one super-frame.
Transmitted KernelLink::write_singly(const Burst& burst, uint32_t first, uint32_t count) noexcept {
  Transmitted result;
  for (; result.taken < count; ++result.taken) {
    if (const auto refused = write_frame(burst, burst.frames[first + result.taken])) {
      result.reason = *refused;
      break;
    }
  }
  return result;
}

std::optional<DropReason> KernelLink::write_merged(const Coalescer& run) noexcept {
  const Offload offload = run.offload();
  Parts parts(&offload);
  parts.add(run.header());
  for (const Segment& piece : run.payload()) parts.add(piece);
  const auto refused = write_parts(parts.data(), parts.count(), &offload);
  // Linux before 6.2 takes no UDP segmentation (virtio_net_hdr_to_skb() in linux/virtio_net.h).
  if (refused == DropReason::bad_offload && offload.segmentation == Offload::Segmentation::udp) merges_udp_ = false;
  return refused;
}

std::optional<DropReason> KernelLink::write_frame(const Burst& burst, const Frame& frame) noexcept {
  const Offload* offload = burst.offload_of(frame);
  if (const auto refused = refusal(burst, frame, offload)) return refused;
  Parts parts(offload);
  parts.add({frame.data, frame.head_length});
  for (const Segment& segment : burst.more_of(frame)) parts.add(segment);
  return write_parts(parts.data(), parts.count(), offload);
}

std::optional<DropReason> KernelLink::write_parts(const iovec* parts, int count, const Offload* offload) noexcept {
  while (::writev(frames_.get(), parts, count) < 0) {
    if (errno != EINTR) return reason_of(errno, offload);
  }
  note(Phase::attached);
  return {};
}

// Refuses what the kernel would take but the wire's contract forbids.
std::optional<DropReason> KernelLink::refusal(const Burst& burst, const Frame& frame,
                                              const Offload* offload) const noexcept {
  uint8_t first = 0;
  if (frame.more > Burst::max_more) return DropReason::too_big;
  if (frame.length > max_frame_length || longest_wire_frame(frame, offload) > facts_.max_frame)
    return DropReason::too_big;
  if (facts_.payload == Payload::ethernet) {
    return frame.length < ethernet_header ? std::optional(DropReason::too_short) : std::nullopt;
  }
  const bool ip = copy_head(burst, frame, &first, 1) == 1 && starts_ip(first);
  return ip ? std::nullopt : std::optional(DropReason::bad_payload);
}

// tun_get_user() in drivers/net/tun.c, packet_snd() in net/packet/af_packet.c.
DropReason KernelLink::reason_of(int error, const Offload* offload) noexcept {
  switch (error) {
    case EAGAIN:
    case ENOBUFS:
      return DropReason::tx_full;
    case EIO:
    case ENETDOWN:
      note(Phase::interface_down);
      return DropReason::link_down;
    case EBADFD:
    case EBADF:
    case ENXIO:  // a packet socket whose interface was deleted
      lose_interface();
      return DropReason::link_down;
    case EMSGSIZE:
      return DropReason::too_big;
    case EINVAL:  // the virtio header, or an IP version that the source changed after refusal()
      if (offload != nullptr) return DropReason::bad_offload;
      return facts_.payload == Payload::ip ? DropReason::bad_payload : DropReason::io_error;
    default:
      return DropReason::io_error;
  }
}

}  // namespace crosswire

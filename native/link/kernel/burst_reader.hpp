// SPDX-License-Identifier: Apache-2.0
// Fills a burst with frames that a source reads one by one, each behind its virtio_net_hdr, into the burst's scratch
// memory. What a header claims is checked before it becomes an Offload.
#pragma once

#include <sys/types.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/burst.hpp"
#include "core/offload.hpp"
#include "link/kernel/frame_source.hpp"
#include "os/packet_socket.hpp"

namespace crosswire {

class BurstReader {
 public:
  BurstReader(Burst& burst, Payload payload) noexcept : burst_(burst), room_(burst.scratch), payload_(payload) {}
  BurstReader(const BurstReader&) = delete;
  BurstReader& operator=(const BurstReader&) = delete;

  // read_one(room, begin) reads one frame as read(2) does, with errno set likewise; the virtio_net_hdr is at
  // room[begin]. Ends when there is no frame, no room or no budget left.
  template <class ReadOne>
  InterfaceCondition read_all(ReadOne read_one) noexcept;

  bool has_frames() const noexcept { return burst_.count > 0; }
  void drop(DropReason reason, uint32_t frames) noexcept { burst_.drop(reason, frames); }

 private:
  static constexpr uint32_t budget = 64;  // measured: more gains nothing and delays the other wires of the worker
  // In the frames that super-frames stand for: what a memif link hands on in a turn (Burst::capacity), less the last
  // one. Sixteen super-frames at once overran its ring of 1,024 slots, and TCP sent much of it twice.
  static constexpr uint32_t units_budget = 200;
  // One read must find room for the longest frame, but takes only what it fills: small frames lie densely.
  static constexpr uint32_t longest_read = VirtioHeader::size + max_frame_length + os::receive_gap;
  static_assert(scratch_bytes >= 2 * longest_read);

  static constexpr size_t rounded(size_t bytes) noexcept {
    constexpr size_t cache_line = 64;
    return (bytes + cache_line - 1) / cache_line * cache_line;
  }

  // Returns how many frames it stands for.
  uint32_t accept(std::span<const uint8_t> bytes) noexcept;
  void count_loss(int error) noexcept;

  Burst& burst_;
  std::span<uint8_t> room_;
  const Payload payload_;
};

template <class ReadOne>
InterfaceCondition BurstReader::read_all(ReadOne read_one) noexcept {
  auto condition = InterfaceCondition::unknown;
  uint32_t units = 0;
  for (uint32_t tries = 0; tries < budget && units < units_budget && room_.size() >= longest_read; ++tries) {
    size_t begin = 0;
    const ssize_t got = read_one(room_.first(longest_read), begin);
    if (got >= 0) {
      condition = InterfaceCondition::up;
      units += accept(room_.subspan(begin, static_cast<size_t>(got)));
      room_ = room_.subspan(std::min(room_.size(), rounded(begin + static_cast<size_t>(got))));
    } else if (errno == EAGAIN || errno == EFAULT) {  // EFAULT: it is being deleted right now (tun_ring_recv())
      break;
    } else if (errno == EBADFD || errno == EBADF) {  // it was deleted (tun_chr_read_iter() in drivers/net/tun.c)
      return InterfaceCondition::deleted;
    } else if (errno == ENETDOWN) {  // not a frame: the interface of a packet socket went down
      condition = InterfaceCondition::down;
    } else if (errno != EINTR) {  // the frame was taken off the queue and thrown away (tun_put_user())
      count_loss(errno);
    }
  }
  return condition;
}

}  // namespace crosswire

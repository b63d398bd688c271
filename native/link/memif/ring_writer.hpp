// SPDX-License-Identifier: Apache-2.0
// Writes frames into the slots of one transmit ring. Slots are private until publish().
#pragma once

#include <algorithm>
#include <array>
#include <optional>

#include "core/drop_reason.hpp"
#include "core/segmenter.hpp"
#include "link/memif/copy.hpp"
#include "link/memif/session.hpp"

namespace crosswire::memif {

template <Role role>
class RingWriter {
 public:
  RingWriter(Session& session, TransmitRing& ring) noexcept : session_(session), ring_(ring) {}

  // Writes complete frames of one segment, from the front, each into one slot; returns how many it wrote. It prefetches
  // the buffers of several slots for writing, so that the copies do not wait for one cache line after another.
  uint32_t write_run(const Frame* frames, uint32_t count) noexcept {
    if (static_cast<uint16_t>(ring_.limit - ring_.position) < count) look_again();
    uint32_t written = 0;
    while (written < count) {
      const uint32_t free = static_cast<uint16_t>(ring_.limit - ring_.position);
      const uint32_t slots = std::min({count - written, free, lookahead});
      if (slots == 0 || !is_simple(frames[written])) return written;
      std::array<Target, lookahead> targets;
      for (uint32_t i = 0; i < slots; i++) {
        targets[i] = open_slot(static_cast<uint16_t>(ring_.position + i));
        if (frames[written].length > targets[0].capacity) return written;  // it needs a chain: look no further
        __builtin_prefetch(targets[i].bytes, 1);
      }
      for (uint32_t i = 0; i < slots; i++, written++) {
        const Frame& frame = frames[written];
        if (!is_simple(frame) || frame.length > targets[i].capacity) return written;
        copy_bytes(targets[i].bytes, frame.data, frame.length);
        close_slot(targets[i], frame.length, 0);
      }
    }
    return written;
  }

  // The segmenter's current frame, into as many slots as it takes, or none.
  std::optional<DropReason> write(Segmenter& segmenter) noexcept {
    look_again();
    const uint16_t start = ring_.position;
    const auto free = static_cast<uint16_t>(ring_.limit - start);
    uint32_t left = segmenter.length();
    while (left > 0) {
      const auto used = static_cast<uint16_t>(ring_.position - start);
      if (used == free || used == max_slots) {
        ring_.position = start;
        return free == ring_.size || used == max_slots ? DropReason::too_big : DropReason::tx_full;
      }
      const Target target = open_slot(ring_.position);
      const uint32_t length = left < target.capacity ? left : target.capacity;
      if (length == 0) break;
      fill(segmenter, target.bytes, length);
      left -= length;
      close_slot(target, length, left > 0 ? flag_next : 0);
    }
    if (left == 0) return std::nullopt;
    ring_.position = start;
    return DropReason::link_down;
  }

 private:
  static constexpr uint32_t max_slots = Burst::max_more + 1;
  static constexpr uint32_t lookahead = 32;

  struct Target {
    uint8_t* bytes;
    uint32_t capacity;  // 0: the slot is unusable, and the session over
    uint64_t slot;      // what to leave in the descriptor beside flags and length
  };

  bool is_simple(const Frame& frame) const noexcept {
    return frame.more == 0 && frame.offload == 0 && frame.length <= session_.max_frame;
  }

  // A peer cannot free more slots than there are. If the index says so (libmemif's refill, DPDK's sender, §5), all
  // count as free.
  void look_again() noexcept {
    const uint16_t seen = load_index(role == Role::server ? ring_.header->head : ring_.header->tail);
    ring_.limit = static_cast<uint16_t>(role == Role::server ? seen : seen + ring_.size);
    if (static_cast<uint16_t>(ring_.limit - ring_.position) <= ring_.size) return trust(ring_);
    ring_.limit = static_cast<uint16_t>(ring_.position + ring_.size);
    distrust(session_, ring_);
  }

  Target open_slot(uint16_t counter) noexcept {
    if constexpr (role == Role::client) {
      const uint64_t offset = ring_.buffer(counter, session_.stride);
      return {session_.regions[0].base + offset, session_.buffer_size, offset};
    } else {
      const Slot slot = load_slot(ring_.slot(counter));
      const Region& region = session_.regions[slot.region() & (max_regions - 1)];
      if (slot.region() >= max_regions || slot.offset() >= region.size || slot.length() == 0) [[unlikely]] {
        session_.violation = "an offered buffer lies outside its region";
        return {nullptr, 0, 0};
      }
      const uint64_t room = region.size - slot.offset();
      return {region.base + slot.offset(), slot.length() < room ? slot.length() : static_cast<uint32_t>(room),
              slot.region()};
    }
  }

  // A server changes only flags and length (§4.3): it writes the region back as read.
  void close_slot(const Target& target, uint32_t length, uint16_t flags) noexcept {
    Descriptor& descriptor = ring_.slot(ring_.position++);
    if constexpr (role == Role::client) {
      store_slot(descriptor, {slot_what(flags, 0, length), target.slot});
    } else {
      store_what(descriptor, slot_what(flags, static_cast<uint16_t>(target.slot), length));
    }
  }

  static void fill(Segmenter& segmenter, uint8_t* to, uint32_t length) noexcept {
    while (length > 0) {
      const Segment piece = segmenter.take(length);
      if (piece.length == 0) return;
      copy_bytes(to, piece.data, piece.length);
      to += piece.length;
      length -= piece.length;
    }
  }

  Session& session_;
  TransmitRing& ring_;
};

}  // namespace crosswire::memif

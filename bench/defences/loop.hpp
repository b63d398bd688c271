// SPDX-License-Identifier: Apache-2.0
// Two versions of the loop that carries a burst from ring to ring: one as in link/memif/receive.cpp and ring_writer.hpp
// in the server role, and one without the checks that only a dishonest peer makes necessary. The bench compares the
// first with the production code, so that the copy stays accurate. Neither handles frames of several slots, which
// honest peers send too.
#pragma once

#include <algorithm>
#include <array>

#include "core/burst.hpp"
#include "link/memif/copy.hpp"
#include "link/memif/session.hpp"

namespace crosswire::bench {

template <bool defended>
memif::Slot load(memif::Descriptor& descriptor) {
  if constexpr (defended) return memif::load_slot(descriptor);
  return {descriptor.what, descriptor.where};
}

template <bool defended>
[[gnu::noinline]] void receive(memif::Session& session, Burst& burst) {
  memif::ReceiveRing& ring = session.receive_rings[0];
  const uint16_t produced = memif::load_index(ring.header->head);
  const auto waiting = static_cast<uint16_t>(produced - ring.position);
  if constexpr (defended) {
    const auto lent = static_cast<uint16_t>(ring.position - ring.returned);
    if (waiting + uint32_t{lent} > ring.size) return memif::distrust(session, ring);
    memif::trust(ring);
  }
  const auto end = static_cast<uint16_t>(ring.position + waiting);
  while (ring.position != end && burst.count < Burst::capacity) {
    const memif::Slot slot = load<defended>(ring.slot(ring.position));
    if (slot.has_next()) [[unlikely]]
      return;
    ring.position++;
    const uint8_t* data;
    if constexpr (defended) {
      const memif::Region& region = session.regions[slot.region() & (memif::max_regions - 1)];
      const bool inside = slot.region() < memif::max_regions && slot.length() != 0 &&
                          uint64_t{slot.offset()} + slot.length() <= region.size;
      if (!inside) [[unlikely]] {
        burst.drop(DropReason::bad_desc);
        continue;
      }
      data = region.base + slot.offset();
      __builtin_prefetch(data);
      if (slot.length() < 14) {
        burst.drop(DropReason::too_short);
        continue;
      }
      if (slot.length() > max_frame_length) {
        burst.drop(DropReason::too_big);
        continue;
      }
    } else {
      data = session.regions[slot.region()].base + slot.offset();
      __builtin_prefetch(data);
    }
    burst.frames[burst.count++] = {data, slot.length(), slot.length()};
  }
}

template <bool defended>
[[gnu::noinline]] uint32_t transmit(memif::Session& session, const Burst& burst) {
  constexpr uint32_t lookahead = 32;
  memif::TransmitRing& ring = session.transmit_rings[0];
  ring.limit = memif::load_index(ring.header->head);
  if constexpr (defended) {
    if (static_cast<uint16_t>(ring.limit - ring.position) > ring.size) {
      memif::distrust(session, ring);
      return 0;
    }
    memif::trust(ring);
  }
  struct Target {
    uint8_t* bytes;
    uint32_t capacity;
    uint16_t region;
  };
  uint32_t written = 0;
  while (written < burst.count) {
    const uint32_t free = static_cast<uint16_t>(ring.limit - ring.position);
    const uint32_t count = std::min({burst.count - written, free, lookahead});
    if (count == 0) break;
    std::array<Target, lookahead> targets;
    for (uint32_t i = 0; i < count; i++) {
      const memif::Slot slot = load<defended>(ring.slot(static_cast<uint16_t>(ring.position + i)));
      uint32_t capacity = slot.length();
      if constexpr (defended) {
        const memif::Region& region = session.regions[slot.region() & (memif::max_regions - 1)];
        if (slot.region() >= memif::max_regions || slot.offset() >= region.size || capacity == 0) [[unlikely]] {
          session.violation = "an offered buffer lies outside its region";
          return written;
        }
        capacity = static_cast<uint32_t>(std::min<uint64_t>(capacity, region.size - slot.offset()));
        targets[i] = {region.base + slot.offset(), capacity, slot.region()};
      } else {
        targets[i] = {session.regions[slot.region()].base + slot.offset(), capacity, slot.region()};
      }
      if (burst.frames[written].length > targets[0].capacity) return written;
      __builtin_prefetch(targets[i].bytes, 1);
    }
    for (uint32_t i = 0; i < count; i++, written++) {
      const Frame& frame = burst.frames[written];
      const bool simple = frame.more == 0 && frame.offload == 0 && frame.length <= session.max_frame;
      if (!simple || frame.length > targets[i].capacity) return written;
      memif::copy_bytes(targets[i].bytes, frame.data, frame.length);
      memif::store_what(ring.slot(ring.position++), memif::slot_what(0, targets[i].region, frame.length));
    }
  }
  memif::publish_index(ring.header->tail, ring.position);
  ring.published = ring.position;
  memif::full_fence();
  return written;
}

inline void give_back(memif::Session& session) {
  memif::ReceiveRing& ring = session.receive_rings[0];
  memif::publish_index(ring.header->tail, ring.position);
  ring.returned = ring.position;
}

}  // namespace crosswire::bench

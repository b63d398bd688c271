// SPDX-License-Identifier: Apache-2.0
#include "link/memif/receive.hpp"

namespace crosswire::memif {
namespace {

constexpr uint32_t slot_budget = 1024;  // per ring and call

template <Role role>
uint16_t& sender_index(Ring& ring) {
  return role == Role::server ? ring.header->head : ring.header->tail;
}

// The bytes of a slot, or null if it points outside (§7.2). A client knows its own buffers and reads only the length.
template <Role role>
const uint8_t* bytes_of(const Session& session, const ReceiveRing& ring, const Slot& slot, uint16_t counter) {
  if (slot.length() == 0) return nullptr;
  if constexpr (role == Role::client) {
    if (slot.length() > session.buffer_size) return nullptr;
    return session.regions[0].base + ring.buffer(counter, session.stride);
  } else {
    if (slot.region() >= max_regions) return nullptr;
    const Region& region = session.regions[slot.region() & (max_regions - 1)];
    if (uint64_t{slot.offset()} + slot.length() > region.size) return nullptr;
    return region.base + slot.offset();
  }
}

// DPDK before 2026-03 never clears NEXT of a slot that once began a chain (§4.3), so a server clears it. A client
// rewrites its slots anyway.
template <Role role>
void clear_next(Descriptor& descriptor, const Slot& slot) {
  if constexpr (role == Role::server) store_what(descriptor, slot_what(0, slot.region(), slot.length()));
}

constexpr uint32_t shortest_frame(Payload payload) { return payload == Payload::ethernet ? 14 : 20; }

void append(Burst& burst, const Frame& frame, Payload payload) {
  if (frame.length < shortest_frame(payload)) return burst.drop(DropReason::too_short);
  if (frame.length > max_frame_length) return burst.drop(DropReason::too_big);
  burst.frames[burst.count++] = frame;
}

// A frame of several slots, which are all published together (§4.7); a chain that ends early or never is dropped.
// `slot` is the first, at ring.position.
template <Role role>
void receive_chain(const Session& session, ReceiveRing& ring, Burst& burst, uint16_t end, Slot slot) {
  Frame frame{nullptr, 0, 0, 0, static_cast<uint16_t>(burst.segment_count)};
  uint64_t length = 0;
  bool good = true;
  for (uint32_t number = 0;; number++) {
    const uint16_t counter = ring.position++;
    const uint8_t* data = bytes_of<role>(session, ring, slot, counter);
    good = good && data != nullptr;
    if (number == 0) {
      frame.data = data;
      frame.head_length = slot.length();
    } else if (good) {
      burst.segments[frame.first_more + frame.more++] = {data, slot.length()};
    }
    length += slot.length();
    if (!slot.has_next()) break;
    clear_next<role>(ring.slot(counter), slot);
    if (ring.position == end || number == Burst::max_more) return burst.drop(DropReason::bad_desc);
    slot = load_slot(ring.slot(ring.position));
  }
  if (!good) return burst.drop(DropReason::bad_desc);
  if (length > max_frame_length) return burst.drop(DropReason::too_big);
  frame.length = static_cast<uint32_t>(length);
  burst.segment_count += frame.more;
  append(burst, frame, session.payload);
}

// How many slots the sender filled. If the number is impossible, everything in between is skipped (§7.2).
template <Role role>
uint16_t waiting_slots(Session& session, ReceiveRing& ring, Burst& burst) {
  const uint16_t produced = load_index(sender_index<role>(ring));
  const auto waiting = static_cast<uint16_t>(produced - ring.position);
  const auto lent = static_cast<uint16_t>(ring.position - ring.returned);
  if (waiting + uint32_t{lent} <= ring.size) return waiting;
  burst.drop(DropReason::bad_index);
  ring.position = produced;
  distrust(session, ring);
  return 0;
}

template <Role role>
void receive_ring(Session& session, ReceiveRing& ring, Burst& burst) {
  const uint16_t waiting = waiting_slots<role>(session, ring, burst);
  if (waiting == 0) return;
  trust(ring);
  const auto end = static_cast<uint16_t>(ring.position + waiting);
  const auto start = ring.position;
  while (ring.position != end && burst.count < Burst::capacity &&
         static_cast<uint16_t>(ring.position - start) < slot_budget) {
    const uint16_t counter = ring.position;
    const Slot slot = load_slot(ring.slot(counter));
    if (slot.has_next()) [[unlikely]] {
      if (burst.segment_count + Burst::max_more > Burst::segment_capacity) return;
      receive_chain<role>(session, ring, burst, end, slot);
      continue;
    }
    ring.position++;
    const uint8_t* data = bytes_of<role>(session, ring, slot, counter);
    if (data == nullptr) [[unlikely]] {
      burst.drop(DropReason::bad_desc);
      continue;
    }
    __builtin_prefetch(data);
    append(burst, {data, slot.length(), slot.length()}, session.payload);
  }
}

// Offers consumed slots again, rewritten from private state, whatever the server wrote into them.
void refill(Session& session, ReceiveRing& ring, uint16_t slots) {
  for (uint16_t i = 0; i < slots; i++) {
    const auto counter = static_cast<uint16_t>(ring.position - slots + i);
    store_slot(ring.slot(counter), {slot_what(0, 0, session.buffer_size), ring.buffer(counter, session.stride)});
  }
  publish_index(ring.header->head, static_cast<uint16_t>(ring.position + ring.size));
}

template <Role role>
void receive_all(Session& session, Burst& burst) {
  const auto rings = static_cast<uint32_t>(session.receive_rings.size());
  const uint32_t first = session.next_receive_ring;
  session.next_receive_ring = first + 1 < rings ? first + 1 : 0;
  for (uint32_t i = 0; i < rings && burst.count < Burst::capacity; i++) {
    receive_ring<role>(session, session.receive_rings[first + i < rings ? first + i : first + i - rings], burst);
  }
}

}  // namespace

void receive_burst(Session& session, Burst& burst) noexcept {
  if (session.role == Role::server) {
    receive_all<Role::server>(session, burst);
  } else {
    receive_all<Role::client>(session, burst);
  }
}

void return_slots(Session& session) noexcept {
  for (ReceiveRing& ring : session.receive_rings) {
    if (ring.returned == ring.position) continue;
    if (session.role == Role::server) {
      publish_index(ring.header->tail, ring.position);
    } else {
      const auto consumed = static_cast<uint16_t>(ring.position - ring.returned);
      refill(session, ring, consumed < ring.size ? consumed : static_cast<uint16_t>(ring.size));
    }
    ring.returned = ring.position;
  }
}

bool frames_waiting(Session& session) noexcept {
  for (ReceiveRing& ring : session.receive_rings) {
    uint16_t& index = session.role == Role::server ? ring.header->head : ring.header->tail;
    if (load_index(index) != ring.position) return true;
  }
  return false;
}

void offer_all_slots(Session& session) noexcept {
  for (ReceiveRing& ring : session.receive_rings) refill(session, ring, static_cast<uint16_t>(ring.size));
}

}  // namespace crosswire::memif

// SPDX-License-Identifier: Apache-2.0
// The forwarding loop. Every frame is received once, and delivered or dropped with a reason.
#include "engine/pump.hpp"

namespace crosswire {
namespace {

void deliver(const Burst& burst, uint32_t first, uint32_t count, Transfer& transfer) noexcept {
  uint64_t packets = 0, bytes = 0;
  for (uint32_t i = first; i < first + count; i++) {
    packets += burst.frames[i].units;
    bytes += wire_bytes(burst.frames[i], burst.offload_of(burst.frames[i]));
  }
  transfer.received_packets += packets;
  transfer.received_bytes += bytes;
  transfer.delivered_packets += packets;
  transfer.delivered_bytes += bytes;
}

void drop(const Burst& burst, uint32_t index, DropReason reason, const Transmitted& sent, Transfer& transfer) noexcept {
  const Frame& frame = burst.frames[index];
  transfer.received_packets += frame.units;
  transfer.received_bytes += wire_bytes(frame, burst.offload_of(frame));
  transfer.delivered_packets += sent.partial_units;
  transfer.delivered_bytes += sent.partial_bytes;
  transfer.drop(reason, frame.units - sent.partial_units);
}

// What the source could not receive counts as received and dropped. Its bytes are unknown and count as none.
void drop_unreceived(const Burst& burst, Transfer& transfer) noexcept {
  for (size_t reason = 0; reason < drop_reason_count; reason++) {
    if (burst.dropped[reason] == 0) continue;
    transfer.received_packets += burst.dropped[reason];
    transfer.drop(static_cast<DropReason>(reason), burst.dropped[reason]);
  }
}

// The first frame from `first` on that is too long for the wire.
uint32_t end_of_run(const Burst& burst, uint32_t first, uint32_t max_frame) noexcept {
  if (max_frame == 0) return burst.count;
  for (; first < burst.count; first++) {
    const Frame& frame = burst.frames[first];
    if (longest_wire_frame(frame, burst.offload_of(frame)) > max_frame) break;
  }
  return first;
}

}  // namespace

bool pump(Burst& burst, const Direction& way) noexcept {
  burst.clear();
  way.source.receive(burst);
  Transfer transfer;
  drop_unreceived(burst, transfer);
  if (burst.count == 0 && transfer.dropped_packets == 0) return false;

  uint32_t next = 0;
  while (next < burst.count) {
    const uint32_t end = end_of_run(burst, next, way.max_frame);
    if (end == next) {
      drop(burst, next++, DropReason::too_big, {}, transfer);
      continue;
    }
    const Transmitted sent = way.sink.transmit(burst, next, end - next);
    deliver(burst, next, sent.taken, transfer);
    next += sent.taken;
    if (next == end) continue;
    drop(burst, next++, sent.reason, sent, transfer);
    if (concerns_one_frame(sent.reason)) continue;
    while (next < burst.count) drop(burst, next++, sent.reason, {}, transfer);
  }

  way.source.release();
  way.counters.book(way.entered, transfer);
  return true;
}

}  // namespace crosswire

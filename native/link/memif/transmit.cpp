// SPDX-License-Identifier: Apache-2.0
#include "link/memif/transmit.hpp"

#include "link/memif/flow_hash.hpp"
#include "link/memif/ring_writer.hpp"

namespace crosswire::memif {
namespace {

// Writes chained frames, frames with an offload, and those that did not fit into one slot. True if all were delivered.
template <Role role>
bool write_units(Session& session, RingWriter<role>& writer, const Burst& burst, const Frame& frame,
                 Transmitted& sent) {
  Segmenter segmenter(burst, frame, session.payload);
  if (segmenter.refused()) {
    sent.reason = *segmenter.refused();
    return false;
  }
  while (segmenter.next()) {
    if (const auto refused = writer.write(segmenter)) {
      sent.reason = *refused;
      return false;
    }
    sent.partial_units++;
    sent.partial_bytes += segmenter.length();
  }
  sent.partial_units = 0;
  sent.partial_bytes = 0;
  return true;
}

// Wakes the ring's receiver if it wants that. The fence orders the store of the index before the load of the flag: the
// receiver clears the flag, then checks the index (§4.6).
void publish(Session& session, TransmitRing& ring, Notifier& notifier) {
  RingHeader& header = *ring.header;
  publish_index(session.role == Role::server ? header.tail : header.head, ring.position);
  ring.published = ring.position;
  full_fence();
  if ((load_flags(header) & flag_mask_interrupt) != 0) return;
  if (ring.doorbell.get()->broken.load(std::memory_order_relaxed)) {
    session.violation = "its eventfd blocks";
    return;
  }
  notifier.ring(*ring.doorbell.get());
}

template <Role role>
Transmitted transmit(Session& session, const Burst& burst, uint32_t first, uint32_t count, Notifier& notifier) {
  Transmitted sent;
  const auto rings = static_cast<uint32_t>(session.transmit_rings.size());
  while (sent.taken < count) {
    const Frame* frames = &burst.frames[first + sent.taken];
    const uint32_t number = rings == 1 ? 0 : flow_hash(burst, *frames, session.payload) % rings;
    RingWriter<role> writer(session, session.transmit_rings[number]);
    const uint32_t run = rings == 1 ? count - sent.taken : 1;
    const uint32_t written = writer.write_run(frames, run);
    sent.taken += written;
    if (written == run) continue;

    const Frame& frame = frames[written];
    if (longest_wire_frame(frame, burst.offload_of(frame)) > session.max_frame) {
      sent.reason = DropReason::too_big;
      break;
    }
    if (!write_units<role>(session, writer, burst, frame, sent)) break;
    sent.taken++;
  }
  for (TransmitRing& ring : session.transmit_rings) {
    if (ring.published != ring.position) publish(session, ring, notifier);
  }
  return sent;
}

}  // namespace

Transmitted transmit_burst(Session& session, const Burst& burst, uint32_t first, uint32_t count,
                           Notifier& notifier) noexcept {
  return session.role == Role::server ? transmit<Role::server>(session, burst, first, count, notifier)
                                      : transmit<Role::client>(session, burst, first, count, notifier);
}

}  // namespace crosswire::memif

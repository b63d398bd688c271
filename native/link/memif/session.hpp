// SPDX-License-Identifier: Apache-2.0
// The shared memory of one connection, for the data path. Created by the control thread, used by one worker, and
// destroyed by the control thread after the worker has given it back (handover.hpp). All values from which addresses
// are computed are private here; none is read back from shared memory (memif contract §7.2).
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "link/memif/doorbell.hpp"
#include "link/memif/options.hpp"
#include "link/memif/ring.hpp"
#include "os/fd.hpp"
#include "os/memory_mapping.hpp"

namespace crosswire::memif {

// A power of two, so that a mask keeps a mispredicted index inside the table (Spectre v1, §7.2).
inline constexpr uint32_t max_regions = 16;

struct Region {
  uint8_t* base = nullptr;
  uint64_t size = 0;  // 0: no such region
};

// What both kinds of ring have. Counters are 16 bits and free-running; slot = counter & mask (§4.3).
struct Ring {
  RingHeader* header = nullptr;
  Descriptor* slots = nullptr;
  uint32_t size = 0;
  uint16_t mask = 0;
  uint16_t position = 0;      // the next slot of ours to read or write
  uint64_t first_buffer = 0;  // client role: offset of slot 0's buffer in region 0
  uint32_t mistrust = 0;      // rises with impossible indices, falls with possible ones

  Descriptor& slot(uint16_t counter) const { return slots[counter & mask]; }
  uint64_t buffer(uint16_t counter, uint32_t stride) const {
    return first_buffer + static_cast<uint64_t>(counter & mask) * stride;
  }
};

struct ReceiveRing : Ring {
  uint16_t returned = 0;  // slots before this are the sender's again
  os::Fd event;           // the sender signals it, unless MASK_INT is set
};

struct TransmitRing : Ring {
  uint16_t limit = 0;      // slots before this are ours to fill, as last seen
  uint16_t published = 0;  // slots before this are the receiver's
  DoorbellHandle doorbell;
};

struct Session {
  Role role = Role::server;
  Payload payload = Payload::ethernet;
  uint32_t buffer_size = 0;  // client role: of every slot
  uint32_t stride = 0;       // client role: from one buffer to the next
  uint32_t max_frame = 0;
  uint32_t next_receive_ring = 0;

  std::array<Region, max_regions> regions{};
  std::vector<ReceiveRing> receive_rings;
  std::vector<TransmitRing> transmit_rings;

  // Why the worker stops serving this peer; a literal.
  const char* violation = nullptr;

  std::atomic<bool> poisoned{false};  // by the SIGBUS guard
  std::atomic<bool> retired{false};   // control thread: give it back
  std::atomic<bool> returned{false};  // worker: will not touch it again

  std::vector<os::SharedMapping> memory;  // declared last: unmapped before `poisoned` is destroyed

  std::string peer;
  uint32_t ring_slots = 0;  // of the largest ring, for people
};

// Honest peers, too, write impossible indices (§5, DPDK's sender), so only repetition ends a session: each impossible
// index adds `step`, each good burst subtracts one.
inline constexpr uint32_t mistrust_step = 16;
inline constexpr uint32_t mistrust_limit = 256 * mistrust_step;

inline void distrust(Session& session, Ring& ring) {
  ring.mistrust += mistrust_step;
  if (ring.mistrust > mistrust_limit) session.violation = "ring indices keep jumping";
}
inline void trust(Ring& ring) { ring.mistrust -= ring.mistrust > 0; }

}  // namespace crosswire::memif

// SPDX-License-Identifier: Apache-2.0
// Rings in shared memory (memif contract §4.1, §4.2) and the only ways this room reads and writes them. A peer may
// change any of it at any moment: each load happens exactly once, into a local.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace crosswire::memif {

inline constexpr uint32_t ring_cookie = 0x03E31F20;
inline constexpr uint16_t flag_mask_interrupt = 1;  // of RingHeader: "I poll, do not signal me"
inline constexpr uint16_t flag_next = 1;            // of Descriptor: the frame continues in the next slot

struct RingHeader {
  uint32_t cookie;
  uint16_t flags;  // written by the receiver of the ring's frames
  uint16_t head;   // written by the client, on both kinds of ring
  uint8_t pad_to_tail[56];
  uint16_t tail;  // written by the server, on both kinds of ring
  uint8_t pad_to_slots[62];
};
static_assert(sizeof(RingHeader) == 128 && offsetof(RingHeader, flags) == 4 && offsetof(RingHeader, head) == 6);
static_assert(offsetof(RingHeader, tail) == 64);

// A descriptor as two words: flags:16 region:16 length:32, and offset:32 metadata:32.
struct alignas(16) Descriptor {
  uint64_t what;
  uint64_t where;
};
static_assert(sizeof(Descriptor) == 16);

// The private copy of a descriptor.
struct Slot {
  uint64_t what = 0;
  uint64_t where = 0;

  uint16_t flags() const { return static_cast<uint16_t>(what); }
  uint16_t region() const { return static_cast<uint16_t>(what >> 16); }
  uint32_t length() const { return static_cast<uint32_t>(what >> 32); }
  uint32_t offset() const { return static_cast<uint32_t>(where); }
  bool has_next() const { return (what & flag_next) != 0; }
};

constexpr uint64_t slot_what(uint16_t flags, uint16_t region, uint32_t length) {
  return flags | uint64_t{region} << 16 | uint64_t{length} << 32;
}

constexpr uint64_t ring_bytes(uint32_t slots) { return sizeof(RingHeader) + uint64_t{slots} * sizeof(Descriptor); }

inline Slot load_slot(Descriptor& descriptor) {
  return {std::atomic_ref(descriptor.what).load(std::memory_order_relaxed),
          std::atomic_ref(descriptor.where).load(std::memory_order_relaxed)};
}

inline void store_what(Descriptor& descriptor, uint64_t what) {
  std::atomic_ref(descriptor.what).store(what, std::memory_order_relaxed);
}

inline void store_slot(Descriptor& descriptor, Slot slot) {
  store_what(descriptor, slot.what);
  std::atomic_ref(descriptor.where).store(slot.where, std::memory_order_relaxed);
}

inline uint16_t load_index(uint16_t& index) { return std::atomic_ref(index).load(std::memory_order_acquire); }
inline void publish_index(uint16_t& index, uint16_t value) {
  std::atomic_ref(index).store(value, std::memory_order_release);
}

inline uint16_t load_flags(RingHeader& header) { return std::atomic_ref(header.flags).load(std::memory_order_relaxed); }
inline void store_flags(RingHeader& header, uint16_t flags) {
  std::atomic_ref(header.flags).store(flags, std::memory_order_relaxed);
}

// Orders an earlier store before a later load, as the peer sees them, too (§4.6). ThreadSanitizer ignores fences and
// understands only atomic operations.
inline void full_fence() {
#ifdef __SANITIZE_THREAD__
  static std::atomic<int> everybody{0};
  everybody.fetch_add(1, std::memory_order_seq_cst);
#else
  std::atomic_thread_fence(std::memory_order_seq_cst);
#endif
}

}  // namespace crosswire::memif

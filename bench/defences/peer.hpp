// SPDX-License-Identifier: Apache-2.0
// An honest memif client in ordinary memory: it offers frames of one size, and slots for them.
#pragma once

#include <cstdlib>
#include <cstring>
#include <memory>

#include "link/memif/ring_layout.hpp"
#include "link/memif/session.hpp"

namespace crosswire::bench {

constexpr uint32_t slots = 1024;
constexpr uint32_t buffer_size = 2048;

class Peer {
 public:
  explicit Peer(uint32_t frame_length) : layout_(1, 1, slots, buffer_size) {
    memory_.reset(static_cast<uint8_t*>(std::aligned_alloc(4096, (layout_.total() + 4095) & ~uint64_t{4095})));
    std::memset(memory_.get(), 0, layout_.total());
    session.max_frame = max_frame_length;
    session.regions[0] = {memory_.get(), layout_.total()};
    place(session.transmit_rings.emplace_back(), 0, buffer_size);
    place(session.receive_rings.emplace_back(), 1, frame_length);
    sent().header->head = 0;
    free().header->head = slots;
    free().header->flags = memif::flag_mask_interrupt;  // it polls and needs no interrupt
  }

  void send(uint16_t frames) {
    memif::RingHeader& header = *sent().header;
    memif::publish_index(header.head, static_cast<uint16_t>(header.head + frames));
  }

  // Takes all delivered frames and offers their slots again.
  uint32_t take() {
    memif::TransmitRing& ring = free();
    uint32_t frames = 0;
    const auto end = memif::load_index(ring.header->tail);
    for (; taken_ != end; taken_++, frames++) {
      memif::store_what(ring.slot(taken_), memif::slot_what(0, 0, buffer_size));
    }
    memif::publish_index(ring.header->head, static_cast<uint16_t>(taken_ + slots));
    return frames;
  }

  memif::Session session;

 private:
  struct Free {
    void operator()(uint8_t* bytes) const { std::free(bytes); }
  };

  memif::ReceiveRing& sent() { return session.receive_rings[0]; }
  memif::TransmitRing& free() { return session.transmit_rings[0]; }

  void place(memif::Ring& ring, uint32_t number, uint32_t length) {
    uint8_t* const at = memory_.get() + layout_.ring(number);
    ring.header = reinterpret_cast<memif::RingHeader*>(at);
    ring.slots = reinterpret_cast<memif::Descriptor*>(at + sizeof(memif::RingHeader));
    ring.size = slots;
    ring.mask = slots - 1;
    ring.first_buffer = layout_.first_buffer(number);
    for (uint32_t i = 0; i < slots; i++) {
      const uint64_t offset = ring.buffer(static_cast<uint16_t>(i), layout_.stride());
      memif::store_slot(ring.slots[i], {memif::slot_what(0, 0, length), offset});
    }
  }

  memif::RingLayout layout_;
  std::unique_ptr<uint8_t, Free> memory_;
  uint16_t taken_ = 0;
};

}  // namespace crosswire::bench

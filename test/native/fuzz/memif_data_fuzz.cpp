// SPDX-License-Identifier: Apache-2.0
// Rings with arbitrary contents, through the receive and transmit paths of both roles. The shared memory lies between
// two inaccessible pages, so that an access outside crashes; every received byte is read.
#include <fuzzer/FuzzedDataProvider.h>
#include <sys/mman.h>

#include <memory>
#include <numeric>

#include "link/memif/receive.hpp"
#include "link/memif/ring_layout.hpp"
#include "link/memif/transmit.hpp"

namespace {

using namespace crosswire;         // NOLINT
using namespace crosswire::memif;  // NOLINT

constexpr uint32_t slots = 16, buffer_size = 256, page = 4096, pages = 4;

uint8_t* guarded_memory() {
  auto* base =
      static_cast<uint8_t*>(::mmap(nullptr, (pages + 2) * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  if (::mprotect(base + page, pages * page, PROT_READ | PROT_WRITE) != 0) std::abort();
  return base + page;
}

uint8_t* const memory = guarded_memory();
Notifier notifier;  // never started: the doorbell below always counts as pending
volatile uint64_t sink;

void attach(Ring& ring, uint32_t number, FuzzedDataProvider& input) {
  const RingLayout layout(1, 1, slots, buffer_size);
  ring.header = reinterpret_cast<RingHeader*>(memory + layout.ring(number));
  ring.slots = reinterpret_cast<Descriptor*>(memory + layout.ring(number) + sizeof(RingHeader));
  ring.size = slots;
  ring.mask = slots - 1;
  ring.position = input.ConsumeIntegral<uint16_t>();
  ring.first_buffer = layout.first_buffer(number);
}

// Plausible more often than not, since random words are refused at once.
Slot any_slot(FuzzedDataProvider& input) {
  const auto kind = input.ConsumeIntegral<uint8_t>();
  const uint16_t region = kind % 8 == 0 ? input.ConsumeIntegral<uint16_t>() : 0;
  const uint32_t length = kind % 4 == 0 ? input.ConsumeIntegral<uint32_t>() : input.ConsumeIntegral<uint8_t>();
  const uint32_t offset =
      kind % 4 == 1 ? input.ConsumeIntegral<uint32_t>() : input.ConsumeIntegral<uint16_t>() % 0x4000;
  return {slot_what(kind >> 7, region, length), offset};
}

void scribble(Ring& ring, FuzzedDataProvider& input) {
  const auto count = input.ConsumeIntegralInRange<uint32_t>(0, slots);
  for (uint32_t i = 0; i < count; i++) store_slot(ring.slot(uint16_t(ring.position + i)), any_slot(input));
  const bool jump = input.ConsumeIntegral<uint8_t>() == 0;
  const uint16_t ahead = jump ? input.ConsumeIntegral<uint16_t>() : input.ConsumeIntegralInRange<uint16_t>(0, slots);
  publish_index(ring.header->head, uint16_t(ring.position + ahead));
  publish_index(ring.header->tail, uint16_t(ring.position + ahead));
  store_flags(*ring.header, flag_mask_interrupt);
}

void read_all(const Burst& burst) {
  for (uint32_t i = 0; i < burst.count; i++) {
    const Frame& frame = burst.frames[i];
    uint64_t length = frame.head_length;
    sink = sink + std::accumulate(frame.data, frame.data + frame.head_length, uint64_t{0});
    for (const Segment& piece : burst.more_of(frame)) {
      sink = sink + std::accumulate(piece.data, piece.data + piece.length, uint64_t{0});
      length += piece.length;
    }
    if (length != frame.length || length > max_frame_length) std::abort();
  }
  if (burst.segment_count > Burst::segment_capacity) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static auto burst = std::make_unique<Burst>();
  FuzzedDataProvider input(data, size);
  Session session;
  session.role = input.ConsumeBool() ? Role::server : Role::client;
  session.payload = input.ConsumeBool() ? Payload::ethernet : Payload::ip;
  session.buffer_size = buffer_size;
  session.stride = RingLayout(1, 1, slots, buffer_size).stride();
  session.max_frame = max_frame_length;
  session.regions[0] = {memory, pages * page};
  attach(session.receive_rings.emplace_back(), 0, input);
  attach(session.transmit_rings.emplace_back(), 1, input);
  session.transmit_rings[0].doorbell = DoorbellHandle(os::Fd());
  session.transmit_rings[0].doorbell.get()->pending.store(true);
  session.receive_rings[0].returned = session.receive_rings[0].position;
  session.transmit_rings[0].limit = session.transmit_rings[0].published = session.transmit_rings[0].position;

  for (int round = 0; round < 8 && input.remaining_bytes() > 0; round++) {
    scribble(session.receive_rings[0], input);
    scribble(session.transmit_rings[0], input);
    burst->clear();
    receive_burst(session, *burst);
    read_all(*burst);
    if (burst->count > 0 && session.violation == nullptr) transmit_burst(session, *burst, 0, burst->count, notifier);
    return_slots(session);
  }
  return 0;
}

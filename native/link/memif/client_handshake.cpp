// SPDX-License-Identifier: Apache-2.0
#include "link/memif/client_handshake.hpp"

#include <algorithm>
#include <bit>

#include "link/memif/receive.hpp"
#include "link/memif/ring_layout.hpp"
#include "link/memif/text.hpp"
#include "os/event_fd.hpp"
#include "os/memory_file.hpp"

namespace crosswire::memif {

Step ClientHandshake::fail(std::string reason) {
  state_ = State::failed;
  return Step::refuse(std::move(reason));
}

Step ClientHandshake::take(Record record) {
  if (const char* fault = record_fault(record)) return fail(fault);
  const Message message = record.message();
  const MessageType type = type_of(message);
  if (type == MessageType::disconnect) {
    Step step = fail("disconnected by peer: " + clean_text(decode<Disconnect>(message).text));
    step.ended_by_peer = true;
    return step;
  }
  if (type == MessageType::hello && state_ == State::wait_hello) return take_hello(decode<Hello>(message));
  if (type == MessageType::ack && state_ == State::wait_ack) return send_next();
  if (type == MessageType::connected && state_ == State::wait_connected) {
    return take_connected(decode<Connect>(message));
  }
  return fail("a message out of order");
}

// At least one ring of at least one slot, whatever the peer's maxima are, and never more than configured (§7.1).
Step ClientHandshake::take_hello(const Hello& hello) {
  if (hello.min_version > protocol_version || hello.max_version < protocol_version) return fail("unsupported version");
  const uint32_t s2m_rings = std::min<uint32_t>(options_.rings, uint32_t{hello.max_s2m_ring} + 1);
  const uint32_t m2s_rings = std::min<uint32_t>(options_.rings, uint32_t{hello.max_m2s_ring} + 1);
  const auto own_log2 = static_cast<uint32_t>(std::countr_zero(options_.ring_size));
  const uint32_t log2_slots = std::min({own_log2, uint32_t{hello.max_log2_ring_size}, uint32_t{max_log2_ring_size}});

  Init init{};
  init.version = protocol_version;
  init.id = options_.id;
  init.mode = options_.payload == Payload::ethernet ? 0 : 1;
  set_text(init.secret, options_.secret);
  set_text(init.name, "crosswire");
  to_send_.push_back({encode(MessageType::init, init)});
  if (auto made = make_memory(s2m_rings, m2s_rings, log2_slots); !made) {
    return fail(made.error().operation + ": " + made.error().reason);
  }
  session_->peer = clean_text(hello.name);
  Connect connect{};
  set_text(connect.interface_name, options_.name);
  to_send_.push_back({encode(MessageType::connect, connect)});
  state_ = State::wait_ack;
  return send_next();
}

Step ClientHandshake::send_next() {
  const Reply next = to_send_.front();
  to_send_.pop_front();
  if (to_send_.empty()) state_ = State::wait_connected;
  return {Step::Kind::go_on, next, {}};
}

// New memory for every connection: no peer sees the memory of another (§7.2).
Result<> ClientHandshake::make_memory(uint32_t s2m_rings, uint32_t m2s_rings, uint32_t log2_slots) {
  const RingLayout layout(s2m_rings, m2s_rings, 1u << log2_slots, options_.buffer_size);
  session_ = std::make_unique<Session>();
  session_->role = Role::client;
  session_->payload = options_.payload;
  session_->max_frame = options_.max_frame;
  session_->buffer_size = options_.buffer_size;
  session_->stride = layout.stride();
  session_->ring_slots = 1u << log2_slots;

  auto file = os::make_memory_file("crosswire-memif", layout.total());
  if (!file) return std::move(file).error();
  memory_file_ = std::move(file).value();
  const auto facts = os::check_memory_file(memory_file_.get(), layout.total(), false);
  if (!facts) return facts.error();
  auto mapping =
      os::SharedMapping::map(memory_file_.get(), layout.total(), facts.value().page_size, session_->poisoned);
  if (!mapping) return std::move(mapping).error();
  session_->regions[0] = {mapping.value().data(), layout.total()};
  session_->memory.push_back(std::move(mapping).value());
  to_send_.push_back({encode(MessageType::add_region, AddRegion{0, layout.total()}), memory_file_.get()});

  for (uint32_t number = 0; number < s2m_rings + m2s_rings; number++) {
    const bool to_server = number < s2m_rings;
    const auto index = static_cast<uint16_t>(to_server ? number : number - s2m_rings);
    auto made = make_ring(index, to_server, layout.ring(number), log2_slots, layout.first_buffer(number));
    if (!made) return made;
  }
  return Done{};
}

Result<> ClientHandshake::make_ring(uint16_t index, bool to_server, uint64_t offset, uint32_t log2_slots,
                                    uint64_t first_buffer) {
  auto event = os::make_event_fd();
  if (!event) return std::move(event).error();
  const int event_fd = event.value().get();
  Ring* ring = nullptr;
  if (to_server) {
    TransmitRing& transmit = session_->transmit_rings.emplace_back();
    transmit.doorbell = DoorbellHandle(std::move(event).value());
    ring = &transmit;
  } else {
    ReceiveRing& receive = session_->receive_rings.emplace_back();
    receive.event = std::move(event).value();
    ring = &receive;
  }
  uint8_t* base = session_->regions[0].base + offset;
  ring->header = reinterpret_cast<RingHeader*>(base);
  ring->slots = reinterpret_cast<Descriptor*>(base + sizeof(RingHeader));
  ring->size = 1u << log2_slots;
  ring->mask = static_cast<uint16_t>(ring->size - 1);
  ring->first_buffer = first_buffer;
  std::atomic_ref(ring->header->cookie).store(ring_cookie, std::memory_order_relaxed);
  if (!to_server) store_flags(*ring->header, flag_mask_interrupt);

  AddRing announced{};
  announced.flags = to_server ? ring_flag_s2m : 0;
  announced.index = index;
  announced.offset = static_cast<uint32_t>(offset);
  announced.log2_ring_size = static_cast<uint8_t>(log2_slots);
  to_send_.push_back({encode(MessageType::add_ring, announced), event_fd});
  return Done{};
}

// Slots are offered only now: DPDK and libmemif clear all indices just before they send CONNECTED (§4.4).
Step ClientHandshake::take_connected(const Connect& connected) {
  session_->peer += " " + clean_text(connected.interface_name);
  offer_all_slots(*session_);
  if (session_->poisoned.load(std::memory_order_relaxed)) return fail("memory that went away");
  memory_file_.reset();
  state_ = State::connected;
  return {Step::Kind::established, std::nullopt, {}};
}

std::unique_ptr<Session> ClientHandshake::session() { return std::move(session_); }

}  // namespace crosswire::memif

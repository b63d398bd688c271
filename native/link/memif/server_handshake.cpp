// SPDX-License-Identifier: Apache-2.0
#include "link/memif/server_handshake.hpp"

#include <algorithm>

#include "link/memif/text.hpp"
#include "os/event_fd.hpp"
#include "os/memory_file.hpp"

namespace crosswire::memif {
namespace {

void attach(Ring& ring, const Region& region, const AddRing& announced) {
  uint8_t* base = region.base + announced.offset;
  ring.header = reinterpret_cast<RingHeader*>(base);
  ring.slots = reinterpret_cast<Descriptor*>(base + sizeof(RingHeader));
  ring.size = 1u << announced.log2_ring_size;
  ring.mask = static_cast<uint16_t>(ring.size - 1);
}

bool has_cookie(const Ring& ring) {
  return std::atomic_ref(ring.header->cookie).load(std::memory_order_acquire) == ring_cookie;
}

}  // namespace

ServerHandshake::ServerHandshake(Admit admit, const Limits& limits) : admit_(std::move(admit)), limits_(limits) {}

// Never announces a maximum below 14: a VPP client would lay out its rings wrongly (§3).
Message ServerHandshake::hello() {
  Hello hello{};
  set_text(hello.name, "crosswire");
  hello.min_version = hello.max_version = protocol_version;
  hello.max_region = max_regions - 1;
  hello.max_m2s_ring = hello.max_s2m_ring = max_rings - 1;
  hello.max_log2_ring_size = max_log2_ring_size;
  return encode(MessageType::hello, hello);
}

Step ServerHandshake::fail(const char* reason) {
  state_ = State::failed;
  return Step::refuse(reason);
}

Step ServerHandshake::take(Record record) {
  if (const char* fault = record_fault(record)) return fail(fault);
  const Message message = record.message();
  const MessageType type = type_of(message);
  if (type == MessageType::disconnect) {
    state_ = State::failed;
    Step step = Step::refuse("disconnected by peer: " + clean_text(decode<Disconnect>(message).text));
    step.ended_by_peer = true;
    return step;
  }
  const bool memory_known = session_ && session_->regions[0].size > 0;
  if (type == MessageType::init && state_ == State::wait_init) return take_init(message);
  if (type == MessageType::add_region && state_ == State::regions) {
    return take_region(decode<AddRegion>(message), record.fds[0]);
  }
  if (type == MessageType::add_ring && (state_ == State::rings || (state_ == State::regions && memory_known))) {
    state_ = State::rings;
    return take_ring(decode<AddRing>(message), std::move(record.fds[0]));
  }
  if (type == MessageType::connect && state_ == State::rings) return take_connect();
  return fail("a message out of order");
}

Step ServerHandshake::take_init(const Message& message) {
  const auto init = decode<Init>(message);
  if (init.version != protocol_version) return fail("unsupported version");
  const auto admitted = admit_(init);
  if (const auto* refusal = std::get_if<const char*>(&admitted)) return fail(*refusal);
  options_ = std::get<const Options*>(admitted);
  session_ = std::make_unique<Session>();
  session_->role = Role::server;
  session_->payload = options_->payload;
  session_->max_frame = options_->max_frame;
  session_->peer = clean_text(init.name);
  state_ = State::regions;
  return Step::answer(encode(MessageType::ack));
}

// Seals the file, then checks its size, then maps it: in any other order the file could still shrink (§7.3).
Step ServerHandshake::take_region(const AddRegion& region, const os::Fd& fd) {
  const size_t count = session_->memory.size();
  if (count == max_regions) return fail("too many memory regions");
  if (region.index != count) return fail("a memory region out of order");
  if (region.size == 0 || region.size > limits_.session_bytes - mapped_bytes_) return fail("a memory region too large");
  const auto facts = os::check_memory_file(fd.get(), region.size, options_->allow_unsealed);
  if (!facts) {
    state_ = State::failed;
    return Step::refuse("a memory region refused: " + facts.error().reason);
  }
  auto mapping = os::SharedMapping::map(fd.get(), region.size, facts.value().page_size, session_->poisoned);
  if (!mapping) return fail("a memory region that cannot be mapped");
  mapped_bytes_ += region.size;
  session_->regions[count] = {mapping.value().data(), region.size};
  session_->memory.push_back(std::move(mapping).value());
  return Step::answer(encode(MessageType::ack));
}

const char* ServerHandshake::ring_fault(const AddRing& ring, size_t rings_so_far) const {
  if (ring.index != rings_so_far) return "a ring out of order";
  if (rings_so_far >= max_rings) return "more rings than announced";
  if (ring.private_header_size != 0) return "a private header, which is not supported";
  if (ring.log2_ring_size > max_log2_ring_size) return "a ring too large";
  if (ring.region >= session_->memory.size()) return "a ring in an unknown memory region";
  if (ring.offset % alignof(Descriptor) != 0) return "a ring out of alignment";
  const uint64_t end = uint64_t{ring.offset} + ring_bytes(1u << ring.log2_ring_size);
  if (end > session_->regions[ring.region].size) return "a ring outside its memory region";
  return nullptr;
}

Step ServerHandshake::take_ring(const AddRing& announced, os::Fd event) {
  const bool to_server = (announced.flags & ring_flag_s2m) != 0;
  const size_t so_far = to_server ? session_->receive_rings.size() : session_->transmit_rings.size();
  if (const char* fault = ring_fault(announced, so_far)) return fail(fault);
  if (!os::is_event_fd(event.get())) return fail("a ring without an eventfd");
  const Region& region = session_->regions[announced.region];
  if (to_server) {
    ReceiveRing& ring = session_->receive_rings.emplace_back();
    attach(ring, region, announced);
    ring.event = std::move(event);
  } else {
    TransmitRing& ring = session_->transmit_rings.emplace_back();
    attach(ring, region, announced);
    ring.doorbell = DoorbellHandle(std::move(event));
  }
  session_->ring_slots = std::max(session_->ring_slots, 1u << announced.log2_ring_size);
  return Step::answer(encode(MessageType::ack));
}

// The client writes the heads, which start at 0 (§4.4); we write the tails.
Step ServerHandshake::take_connect() {
  if (session_->receive_rings.empty() || session_->transmit_rings.empty()) return fail("no rings");
  for (ReceiveRing& ring : session_->receive_rings) {
    if (!has_cookie(ring)) return fail("a ring without its cookie");
    store_flags(*ring.header, flag_mask_interrupt);
    publish_index(ring.header->tail, 0);
  }
  for (TransmitRing& ring : session_->transmit_rings) {
    if (!has_cookie(ring)) return fail("a ring without its cookie");
    publish_index(ring.header->tail, 0);
  }
  if (session_->poisoned.load(std::memory_order_relaxed)) return fail("memory that went away");
  state_ = State::connected;
  Connect connected{};
  set_text(connected.interface_name, options_->name);
  return {Step::Kind::established, Reply{encode(MessageType::connected, connected)}, {}};
}

std::unique_ptr<Session> ServerHandshake::session() { return std::move(session_); }

}  // namespace crosswire::memif

// SPDX-License-Identifier: Apache-2.0
// The client's side of one connection (memif contract §3.1): strictly in lock-step, one message per message received.
//
//   wait_hello ──HELLO──→ wait_ack ──last ACK──→ wait_connected ──CONNECTED──→ connected
//                         │     ↑
//                         └─────┘ ACK (INIT, then the region, then each ring)
//   anything else, from anywhere ─→ failed
#pragma once

#include <deque>
#include <memory>

#include "link/memif/record.hpp"
#include "link/memif/session.hpp"

namespace crosswire::memif {

class ClientHandshake {
 public:
  enum class State { wait_hello, wait_ack, wait_connected, connected, failed };

  explicit ClientHandshake(const Options& options) : options_(options) {}

  Step take(Record record);

  State state() const { return state_; }
  std::unique_ptr<Session> session();  // once, when established

 private:
  Step fail(std::string reason);
  Step take_hello(const Hello& hello);
  Step send_next();
  Step take_connected(const Connect& connected);
  Result<> make_memory(uint32_t s2m_rings, uint32_t m2s_rings, uint32_t log2_slots);
  Result<> make_ring(uint16_t index, bool to_server, uint64_t offset, uint32_t log2_slots, uint64_t first_buffer);

  const Options& options_;
  State state_ = State::wait_hello;
  std::deque<Reply> to_send_;
  os::Fd memory_file_;
  std::unique_ptr<Session> session_;
};

}  // namespace crosswire::memif

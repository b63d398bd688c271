// SPDX-License-Identifier: Apache-2.0
// The server's side of one connection, up to the finished session (memif contract §3.1, §7.1):
//
//   HELLO sent ─→ wait_init ──INIT──→ regions ──ADD_RING──→ rings ──CONNECT──→ connected
//                                     │     ↑               │   ↑
//                                     └─────┘ ADD_REGION    └───┘ ADD_RING
//   anything else, from anywhere ─→ failed
#pragma once

#include <functional>
#include <memory>
#include <variant>

#include "link/memif/record.hpp"
#include "link/memif/session.hpp"

namespace crosswire::memif {

class ServerHandshake {
 public:
  enum class State { wait_init, regions, rings, connected, failed };

  // The options of the wanted id, or why it is refused. Called once, after an INIT with the right version. The callee
  // checks the secret with same_secret() before it reveals whether the id exists or is in use.
  using Admit = std::function<std::variant<const Options*, const char*>(const Init&)>;

  ServerHandshake(Admit admit, const Limits& limits);

  static Message hello();
  Step take(Record record);

  State state() const { return state_; }
  std::unique_ptr<Session> session();  // once, when established

 private:
  Step fail(const char* reason);
  Step take_init(const Message& message);
  Step take_region(const AddRegion& region, const os::Fd& fd);
  Step take_ring(const AddRing& ring, os::Fd event);
  Step take_connect();
  const char* ring_fault(const AddRing& ring, size_t rings_so_far) const;

  const Admit admit_;
  const Limits limits_;
  State state_ = State::wait_init;
  const Options* options_ = nullptr;
  std::unique_ptr<Session> session_;
  uint64_t mapped_bytes_ = 0;
};

}  // namespace crosswire::memif

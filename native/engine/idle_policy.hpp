// SPDX-License-Identifier: Apache-2.0
// Which wires a worker polls. A wire without traffic costs nothing.
//
//          spin_ns without a frame, and arm() found none
//      hot ─────────────────────────────────────────────▶ cold
//       ▲ ◀──────────────────────────────────────────────  │
//       │       a poll fd is readable, or arm() finds      │
//       │                 frames later on                  │
//       │                                                  │
//       │   deadline, 1 ms doubling to 1 s                 │ woken without a frame `fruitless_limit` times in a row
//       └────────────────────── resting ◀──────────────────┘ (a device is gone, or a peer sends false wake-ups)
//
// Why no frame is missed between the last check and the sleep:
//   1. arm() requests a wake-up and then checks for frames (core/link.hpp). A frame published before that check is
//   seen:
//      the wire stays hot. A sender that publishes later sees the request and makes poll_fd() readable.
//   2. After arm(), EPOLL_CTL_MOD turns the fd's one-shot interest on again. The kernel looks at the file while it does
//      so (fs/eventpoll.c, ep_modify: "force poll"): an fd readable by then is reported, and one that becomes readable
//      later is reported by its wake-up callback. epoll_wait(2) therefore returns.
//   3. Only receive() and disarm() make the fd unreadable again, and they run on this thread and on hot wires only.
// A sender without a fence may break step 1 (memif, contract 4.6; LinkFacts::may_miss_wakeups): such wires are checked
// again 2 ms and 100 ms after going cold, and then all together once a second. One check is arm() on two links: a fence
// and a read(2) per ring, 1 to 3 µs on cold caches; 1,000 such wires take 0.3 % of a CPU at most.
#pragma once

#include <sys/epoll.h>

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "core/result.hpp"
#include "engine/deadlines.hpp"
#include "engine/wire.hpp"

namespace crosswire {

class IdlePolicy {
 public:
  IdlePolicy(uint64_t spin_ns, bool busy_poll) : spin_ns_(spin_ns), busy_poll_(busy_poll) {}
  IdlePolicy(const IdlePolicy&) = delete;
  IdlePolicy& operator=(const IdlePolicy&) = delete;
  ~IdlePolicy();

  Result<> open(int wake_fd);  // wait() returns when wake_fd is readable

  void add(Wire& wire, uint64_t now);  // hot
  void remove(Wire& wire);             // before any link of the wire leaves or changes

  const std::vector<Wire*>& hot() const { return hot_; }
  size_t size() const { return wires_.size(); }

  // To be called when hot()[index] yielded nothing. True: it is not hot any more, and another wire may be at `index`.
  bool settle(size_t index, uint64_t now);

  void run_deadlines(uint64_t now);
  // Collects reports of sleeping wires: checks once or, with may_sleep, sleeps until a report, the wake fd or the next
  // deadline. True if the wake fd was readable.
  bool wait(uint64_t now, bool may_sleep);

 private:
  bool cool(Wire& wire, uint64_t now);
  void rest(Wire& wire, uint64_t now);
  void warm(Wire& wire, uint64_t now);
  void look_again(Wire& wire, uint64_t now);
  void sweep(uint64_t now);
  bool listen(const Wire& wire) noexcept;
  int timeout_ms(uint64_t now) const;

  const uint64_t spin_ns_;
  const bool busy_poll_;
  int epoll_fd_ = -1;
  std::unordered_map<uint64_t, Wire*> wires_;  // by handle: a late report of a removed wire finds nothing
  std::vector<Wire*> hot_;
  std::vector<Wire*> swept_;  // the wires that may miss a wake-up
  size_t sweep_next_ = 0;     // where the current sweep continues; swept_.size() or more: there is none
  uint64_t sweep_at_ = 0;
  Deadlines deadlines_;
};

}  // namespace crosswire

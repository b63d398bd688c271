// SPDX-License-Identifier: Apache-2.0
// One forwarding thread and the wires it owns.
#pragma once

#include <cstdint>
#include <memory>
#include <thread>
#include <unordered_map>

#include "core/burst.hpp"
#include "core/result.hpp"
#include "engine/idle_policy.hpp"
#include "engine/mailbox.hpp"
#include "engine/wire.hpp"
#include "engine/worker_statistics.hpp"

namespace crosswire {

class Worker {
 public:
  struct Options {
    unsigned index = 0;
    uint64_t spin_ns = 0;
    bool busy_poll = false;
    int cpu = -1;  // -1: any
  };

  explicit Worker(const Options& options);
  ~Worker() { stop(); }

  Result<> start();
  void stop();  // joins the thread; the wires stay, and can be taken with remove()

  // For control threads, while frames flow: the worker makes the change at a quiet point, between two bursts. Before
  // start() and after stop() the caller makes it.
  void add(std::unique_ptr<Wire> wire);
  bool replace(uint64_t handle, EndName end, std::unique_ptr<Link>& link);  // `link` holds the old one afterwards
  std::unique_ptr<Wire> remove(uint64_t handle);                            // null: unknown

  WorkerStatistics statistics() const noexcept { return meter_.read(); }

 private:
  void run();
  bool round(uint64_t now) noexcept;
  bool forward(Wire& wire, size_t entered) noexcept;
  void drain(Wire& wire, size_t entered) noexcept;
  void sleep(uint64_t now);
  Wire* find(uint64_t handle) const;
  Result<> spawn();

  const Options options_;
  Mailbox mailbox_;
  WorkerMeter meter_;
  std::thread thread_;

  // The thread's own, or the caller's while the mailbox runs tasks in place.
  IdlePolicy idle_;
  std::unordered_map<uint64_t, std::unique_ptr<Wire>> wires_;
  std::unique_ptr<uint8_t[]> scratch_;
  std::unique_ptr<Burst> burst_;
  bool stopping_ = false;
};

}  // namespace crosswire

// SPDX-License-Identifier: Apache-2.0
// A link whose other side is a test. Frames injected come out of receive(); what a worker transmits is collected.
//
// Threads  The link contract holds for the worker's calls (receive, release, transmit, arm, disarm). inject(),
//          collect(), wait_for(), set_up() and refuse_next() may be called from any thread at any time, also while a
//          worker owns the link. open() and close() only while no worker does.
#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/link.hpp"
#include "core/segmenter.hpp"
#include "os/fd.hpp"

namespace crosswire {

struct MemoryFrame {
  std::vector<uint8_t> bytes;
  std::vector<uint32_t> cuts = {};  // where the bytes are cut into segments, ascending; empty: one segment
  std::optional<Offload> offload = {};
  uint16_t units = 1;
};

class MemoryLink final : public Link {
 public:
  struct Options {
    std::string name = "memory";
    Payload payload = Payload::ethernet;
    uint32_t max_frame = max_frame_length;
    bool takes_offloads = false;
    uint32_t inbound_capacity = 4096;   // frames injected but not yet received
    uint32_t outbound_capacity = 4096;  // frames transmitted but not yet collected; beyond it: tx_full
  };

  MemoryLink() : MemoryLink(Options{}) {}
  explicit MemoryLink(Options options);

  // The test's side. inject() is false when the inbound queue is full, or the frame is empty or has more
  // cuts than a burst allows.
  bool inject(MemoryFrame frame);
  bool inject(std::vector<uint8_t> bytes) { return inject(MemoryFrame{std::move(bytes)}); }
  std::vector<MemoryFrame> collect();  // everything transmitted so far, in order
  // Waits until at least `frames` wait to be collected; false after `limit`.
  bool wait_for(size_t frames, std::chrono::milliseconds limit = std::chrono::seconds(10));
  void count_drop(DropReason reason, uint32_t units = 1);  // the next receive() reports it in burst.dropped
  void set_up(bool up);                                    // down: transmit() refuses with link_down
  void refuse_next(DropReason reason);                     // once, for the next frame transmitted

  const LinkFacts& facts() const noexcept override { return facts_; }
  LinkState state() const override;
  Result<> open() override;
  void close() noexcept override;
  void receive(Burst& burst) noexcept override;
  void release() noexcept override;
  Transmitted transmit(const Burst& burst, uint32_t first, uint32_t count) noexcept override;
  int poll_fd() const noexcept override { return event_.get(); }
  bool arm() noexcept override;
  void disarm() noexcept override;

 private:
  // All under mutex_.
  std::optional<DropReason> deliver(const Burst& burst, const Frame& frame, Transmitted& result);
  std::optional<DropReason> deliver_segments(const Burst& burst, const Frame& frame, Transmitted& result);
  bool lend(Burst& burst, const MemoryFrame& frame);
  void signal() noexcept;

  const Options options_;
  const LinkFacts facts_;
  os::Fd event_;

  mutable std::mutex mutex_;
  std::condition_variable transmitted_;
  std::deque<MemoryFrame> inbound_;
  std::deque<MemoryFrame> outbound_;
  std::array<uint32_t, drop_reason_count> dropped_{};
  std::optional<DropReason> refuse_next_;
  bool up_ = true;
  bool armed_ = false;

  std::vector<MemoryFrame> lent_;  // the worker's, until release()
};

}  // namespace crosswire

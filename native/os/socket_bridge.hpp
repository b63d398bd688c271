// SPDX-License-Identifier: Apache-2.0
// Copies bytes between a unix stream socket and one end of a socketpair. Takes descriptors out of the inbound direction
// and adds descriptors to the outbound one.
//
//   peer ── outer ─┤ table of descriptors ├─ inner ── the holder of the other end, who only reads and writes
//          socket  ├ queue of descriptors ┤
//
// Each direction buffers at most the reading of one turn and reads nothing more until that is written, so a slow reader
// slows down only its own writer.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "os/byte_stream.hpp"
#include "os/descriptor_table.hpp"
#include "os/fd.hpp"

namespace crosswire::os {

class SocketBridge {
 public:
  static constexpr size_t most_descriptors = 1024;  // of one connection, in its table; and as many in its queue

  // Both sockets non-blocking. `on_file` is called from pump(), for each file that is new.
  SocketBridge(Fd outer, Fd inner, DescriptorQuota& quota, std::function<void(const std::string& url)> on_file);

  enum class Progress : uint8_t {
    waiting,    // for either socket
    more,       // there is work left; other connections come first
    lingering,  // only to send the last bytes: the inner end was closed
    ended,
  };
  // To be called by one thread, at every edge of either socket (EPOLLET). `scratch` holds the bytes of one read.
  Progress pump(std::span<uint8_t> scratch);

  // Why it ended early; empty if both sides closed in order.
  const std::string& reason() const noexcept { return reason_; }
  int outer() const noexcept { return outer_.get(); }
  int inner() const noexcept { return inner_.get(); }

  // Any thread.
  const DescriptorTable& table() const noexcept { return table_; }
  bool queue(Fd fd);  // sent with or before the next byte written to the inner end; false: the queue is full

 private:
  struct Direction {
    std::vector<uint8_t> pending{};
    size_t written = 0;
    bool finished = false;  // nothing more will be read

    bool has_pending() const noexcept { return written < pending.size(); }
    std::span<const uint8_t> rest() const noexcept { return std::span(pending).subspan(written); }
    void keep(std::span<const uint8_t> bytes);
    void wrote(size_t length);
    void give_up();
  };

  bool move_in(std::span<uint8_t> scratch);
  bool move_out(std::span<uint8_t> scratch);
  size_t write_in(std::span<const uint8_t> bytes);
  size_t write_out(std::span<const uint8_t> bytes);
  void take(std::vector<Fd> fds, bool truncated);
  int next_queued();
  void drop_queued();
  void fail(const char* operation, int errno_value);
  Progress settle();

  const Fd outer_;
  const Fd inner_;
  DescriptorTable table_;
  const std::function<void(const std::string&)> on_file_;
  Direction in_;   // outer → inner
  Direction out_;  // inner → outer
  std::string reason_;
  std::mutex mutex_;
  std::deque<Fd> queue_;  // guarded by mutex_
};

}  // namespace crosswire::os

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "link/memif/options.hpp"
#include "link/memif/record.hpp"
#include "os/control_loop.hpp"

namespace crosswire::memif {

enum class Ending {
  gone,       // the peer closed, or said DISCONNECT
  violation,  // it broke the protocol, or was too slow
};

// A control socket: passes records to a handshake, sends its replies, enforces the deadlines, and watches the peer
// afterwards. Belongs to the control thread.
class Connection {
 public:
  struct Handlers {
    std::function<Step(Record)> take;
    std::function<void()> established;
    std::function<void(const std::string& why, Ending)> ended;  // once; may destroy the connection
  };

  Connection(os::ControlLoop& loop, const Limits& limits, os::Fd socket, Handlers handlers);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() { close(); }

  void send(const Message& message, int fd = -1);
  void disconnect(const std::string& text) noexcept;  // notifies the peer and closes; does not call `ended`
  void end(const std::string& why, Ending ending);  // as disconnect(), with `ended` (for a violation the peer is told)
  bool peer_hung_up() const noexcept;
  bool established() const noexcept { return established_; }

 private:
  void close() noexcept;
  void start_step();
  void on_readable();
  bool take_record();  // false: nothing more to read for now, or the connection is gone

  os::ControlLoop& loop_;
  const Limits& limits_;
  os::Fd socket_;
  Handlers handlers_;
  os::ControlLoop::Token watch_ = 0;
  os::ControlLoop::Token step_timer_ = 0;
  uint64_t handshake_deadline_ = 0;
  bool established_ = false;
};

}  // namespace crosswire::memif

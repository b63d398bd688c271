// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "link/memif/attachment.hpp"
#include "link/memif/client_handshake.hpp"
#include "link/memif/connection.hpp"
#include "link/memif/rate_limit.hpp"
#include "os/fd.hpp"

namespace crosswire::memif {

// Connects one client link to its server, and tries forever: quickly at first, then about every two seconds. Lives on
// the control thread. Its namespace is kept open, for a path may mean another one when it is looked at again.
class Connector {
 public:
  Connector(os::ControlLoop& loop, const Limits& limits, Attachment& attachment, os::Fd netns);
  Connector(const Connector&) = delete;
  Connector& operator=(const Connector&) = delete;
  ~Connector();

 private:
  void attempt();
  void retry(const std::string& why);
  void establish();
  void on_ended(const std::string& why, Ending ending);

  os::ControlLoop& loop_;
  const Limits& limits_;
  Attachment& attachment_;
  const os::Fd netns_;  // empty: the process's own
  Backoff backoff_;
  os::ControlLoop::Token retry_timer_ = 0;
  uint64_t since_ns_ = 0;
  std::unique_ptr<ClientHandshake> handshake_;
  std::unique_ptr<Connection> connection_;
};

}  // namespace crosswire::memif

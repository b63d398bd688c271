// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/link.hpp"
#include "link/memif/handover.hpp"
#include "link/memif/options.hpp"
#include "link/memif/session.hpp"

namespace crosswire::memif {

// The control thread's side of a link: its options, its sessions, and its state for people.
class Attachment {
 public:
  explicit Attachment(Options wanted) : options(std::move(wanted)) {}

  const Options options;
  Handover handover;

  // Control thread. `end` ends the connection if the worker finds a violation by the peer.
  void begin(std::unique_ptr<Session> session, std::function<void(const char* violation)> end);
  void end_session();       // after the end of the connection: recalls the session from the worker
  void reap();              // destroys the sessions that the worker has given back
  void abandon_sessions();  // destroys all sessions; requires that no worker owns the link any more

  void note_down(const std::string& why);
  void note_refused(const std::string& why);

  LinkState state() const;  // any thread

 private:
  std::vector<std::unique_ptr<Session>> sessions_;
  Session* current_ = nullptr;  // handed over and not retired; one of sessions_
  std::function<void(const char*)> end_connection_;

  mutable std::mutex mutex_;
  LinkState state_;
};

}  // namespace crosswire::memif

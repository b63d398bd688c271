// SPDX-License-Identifier: Apache-2.0
#include "link/memif/attachment.hpp"

#include <utility>

namespace crosswire::memif {

void Attachment::begin(std::unique_ptr<Session> session, std::function<void(const char*)> end) {
  {
    const std::lock_guard lock(mutex_);
    state_.up = true;
    state_.peer = session->peer;
    state_.receive_rings = static_cast<uint32_t>(session->receive_rings.size());
    state_.transmit_rings = static_cast<uint32_t>(session->transmit_rings.size());
    state_.ring_size = session->ring_slots;
    state_.buffer_size = session->buffer_size;
    state_.sessions++;
    state_.detail = options.role == Role::server ? "connected as server" : "connected as client";
  }
  end_connection_ = std::move(end);
  current_ = session.get();
  sessions_.push_back(std::move(session));
  handover.offer(*current_);
}

void Attachment::end_session() {
  end_connection_ = nullptr;
  if (current_ != nullptr) handover.retire(*std::exchange(current_, nullptr));
  reap();
}

void Attachment::reap() {
  for (size_t i = 0; i < sessions_.size();) {
    Session* session = sessions_[i].get();
    if (!session->returned.load(std::memory_order_acquire)) {
      i++;
      continue;
    }
    const char* violation = session->violation;
    const bool ended_by_worker = session == current_;
    if (ended_by_worker) current_ = nullptr;
    sessions_.erase(sessions_.begin() + static_cast<ptrdiff_t>(i));
    if (ended_by_worker && end_connection_) std::exchange(end_connection_, nullptr)(violation);
  }
}

void Attachment::abandon_sessions() {
  handover.take();
  current_ = nullptr;
  end_connection_ = nullptr;
  sessions_.clear();
}

void Attachment::note_down(const std::string& why) {
  const std::lock_guard lock(mutex_);
  state_.up = false;
  state_.detail = why;
}

void Attachment::note_refused(const std::string& why) {
  const std::lock_guard lock(mutex_);
  state_.refused++;
  if (!state_.up) state_.detail = why;
}

LinkState Attachment::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

}  // namespace crosswire::memif

// SPDX-License-Identifier: Apache-2.0
// How sessions travel between the control thread, which makes and destroys them, and the worker, which uses them:
//
//   control: offer ─→ inbox ─→ worker: take ─→ uses it ─→ give_back ─→ returned ─→ control: destroys it
//   control: retire ─→ the inbox still holds it: returned at once; else the worker gives it back at its next check
//
// The data path pays one relaxed load per call. The control thread unmaps memory only after it has seen `returned`, so
// the worker never touches an unmapped page and needs no lock. If no worker owns the link, only the inbox holds a
// session, or the link's close() takes it back.
#pragma once

#include <atomic>

#include "core/result.hpp"
#include "link/memif/session.hpp"
#include "os/event_fd.hpp"
#include "os/fd.hpp"

namespace crosswire::memif {

class Handover {
 public:
  Result<> open() {
    auto made = os::make_event_fd();
    if (!made) return std::move(made).error();
    wake_ = std::move(made).value();
    return Done{};
  }

  int wake_fd() const noexcept { return wake_.get(); }  // readable when the worker should check the inbox

  // Control thread. An earlier session must have been retired.
  void offer(Session& session) noexcept {
    inbox_.store(&session, std::memory_order_release);
    call_worker();
  }
  void retire(Session& session) noexcept {
    session.retired.store(true, std::memory_order_release);
    Session* expected = &session;
    if (inbox_.compare_exchange_strong(expected, nullptr, std::memory_order_acq_rel)) {
      session.returned.store(true, std::memory_order_release);
    } else {
      call_worker();
    }
  }

  // Worker.
  bool wants_worker() const noexcept { return attention_.load(std::memory_order_relaxed); }
  Session* take() noexcept {
    attention_.exchange(false, std::memory_order_acq_rel);  // before the check: later changes request another
    os::drain_event_fd(wake_.get());
    return inbox_.exchange(nullptr, std::memory_order_acq_rel);
  }

 private:
  void call_worker() noexcept {
    attention_.store(true, std::memory_order_release);
    os::signal_event_fd(wake_.get());
  }

  std::atomic<bool> attention_{false};
  std::atomic<Session*> inbox_{nullptr};
  os::Fd wake_;
};

}  // namespace crosswire::memif

// SPDX-License-Identifier: Apache-2.0
#include "link/memif/memif_link.hpp"

#include <sys/epoll.h>

#include <cerrno>
#include <utility>

#include "link/memif/receive.hpp"
#include "link/memif/transmit.hpp"
#include "os/error.hpp"
#include "os/event_fd.hpp"

namespace crosswire::memif {
namespace {

constexpr uint32_t max_empty_wakeups = 1000;  // in a row; an honest peer signals frames

void watch(int epoll, int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

void set_interrupt_mask(Session& session, uint16_t flags) {
  for (ReceiveRing& ring : session.receive_rings) store_flags(*ring.header, flags);
}

bool drain_events(Session& session) {
  bool any = false;
  for (ReceiveRing& ring : session.receive_rings) any |= os::drain_event_fd(ring.event.get());
  return any;
}

}  // namespace

MemifLink::MemifLink(Options options, Service& service)
    : facts_{options.name, "memif", options.payload, options.max_frame, false, true},
      service_(service),
      attachment_(std::move(options)) {}

Result<> MemifLink::open() {
  if (auto valid = validate(attachment_.options); !valid) return valid;
  poll_ = os::Fd(::epoll_create1(EPOLL_CLOEXEC));
  if (!poll_) return os::system_error("EPOLL_FAILED", "open memif", facts_.name, errno);
  if (auto ready = attachment_.handover.open(); !ready) return ready;
  watch(poll_.get(), attachment_.handover.wake_fd());
  auto attached = service_.attach(attachment_);
  attached_ = attached.ok();
  return attached;
}

void MemifLink::close() noexcept {
  session_ = nullptr;
  poll_.reset();
  if (std::exchange(attached_, false)) service_.detach(attachment_);
}

// Only between bursts: a session must not be given back while the sink uses its memory.
void MemifLink::look_for_session() noexcept {
  Session* fresh = attachment_.handover.take();
  if (session_ != nullptr && (fresh != nullptr || session_->retired.load(std::memory_order_acquire))) give_back();
  if (fresh != nullptr) adopt(*fresh);
}

void MemifLink::adopt(Session& session) noexcept {
  session_ = &session;
  empty_wakeups_ = 0;
  for (ReceiveRing& ring : session.receive_rings) watch(poll_.get(), ring.event.get());
  if (!armed_) return;
  set_interrupt_mask(session, 0);
  full_fence();
}

void MemifLink::give_back() noexcept {
  // The peer holds the same eventfd, so that closing our descriptor would not remove it from the epoll (epoll(7),
  // question 6).
  for (ReceiveRing& ring : session_->receive_rings) {
    ::epoll_ctl(poll_.get(), EPOLL_CTL_DEL, ring.event.get(), nullptr);
  }
  std::exchange(session_, nullptr)->returned.store(true, std::memory_order_release);
  service_.session_returned();
}

void MemifLink::end_if_violated() noexcept {
  if (session_->poisoned.load(std::memory_order_relaxed)) session_->violation = "its shared memory went away";
  if (session_->violation != nullptr && !lending_) give_back();
}

void MemifLink::receive(Burst& burst) noexcept {
  if (lending_) release();
  if (attachment_.handover.wants_worker()) look_for_session();
  if (session_ == nullptr) return;
  receive_burst(*session_, burst);
  lending_ = true;
  if (burst.count > 0) empty_wakeups_ = 0;
  if (!session_->poisoned.load(std::memory_order_relaxed)) return;
  burst.clear();
  release();
}

void MemifLink::release() noexcept {
  lending_ = false;
  if (session_ == nullptr) return;
  return_slots(*session_);
  end_if_violated();
}

Transmitted MemifLink::transmit(const Burst& burst, uint32_t first, uint32_t count) noexcept {
  if (attachment_.handover.wants_worker() && !lending_) look_for_session();
  if (session_ == nullptr || session_->violation != nullptr) return {0, DropReason::link_down};
  const Transmitted sent = transmit_burst(*session_, burst, first, count, service_.notifier());
  if (session_->violation == nullptr && !session_->poisoned.load(std::memory_order_relaxed)) return sent;
  const bool lost = session_->poisoned.load(std::memory_order_relaxed);
  end_if_violated();
  return lost ? Transmitted{0, DropReason::link_down} : sent;
}

// Drains the eventfds before it clears MASK_INT: later signals make poll_fd() readable, and earlier frames are found by
// one more check of the rings. The fence orders the cleared flag before that check (§4.6).
bool MemifLink::arm() noexcept {
  armed_ = true;
  if (lending_) release();
  if (attachment_.handover.wants_worker()) look_for_session();
  if (session_ == nullptr) return false;
  if (drain_events(*session_) && ++empty_wakeups_ > max_empty_wakeups) {
    session_->violation = "it signals without sending";
    give_back();
    return false;
  }
  set_interrupt_mask(*session_, 0);
  full_fence();
  return frames_waiting(*session_);
}

void MemifLink::disarm() noexcept {
  armed_ = false;
  if (session_ != nullptr) set_interrupt_mask(*session_, flag_mask_interrupt);
}

}  // namespace crosswire::memif

// SPDX-License-Identifier: Apache-2.0
#include "link/kernel/kernel_link.hpp"

#include <poll.h>
#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "core/headers.hpp"
#include "link/kernel/burst_reader.hpp"
#include "os/error.hpp"

namespace crosswire {
namespace {

constexpr uint32_t two_tags = 8;

uint32_t longest_frame(Payload payload, uint32_t mtu) {
  return std::min(max_frame_length, mtu + (payload == Payload::ethernet ? ethernet_header + two_tags : 0));
}

}  // namespace

KernelLink::KernelLink(const Options& options)
    : source_(make_source(options.source, options.payload, options.mtu)),
      facts_{options.name, source_->kind(), options.payload, longest_frame(options.payload, options.mtu), true} {}

LinkState KernelLink::state() const {
  switch (phase_.load(std::memory_order_relaxed)) {
    case Phase::closed:
      return {.detail = "not open"};
    case Phase::attached:
      return {.up = true, .detail = "attached to " + source_->interface()};
    case Phase::interface_down:
      return {.detail = "interface " + source_->interface() + " is down"};
    case Phase::gone:
      return {.detail = "interface " + source_->interface() + " was deleted"};
  }
  return {};
}

Result<> KernelLink::open() {
  auto frames = source_->open();
  if (!frames) return std::move(frames).error();

  os::Fd poll(::epoll_create1(EPOLL_CLOEXEC));
  epoll_event readable{.events = EPOLLIN, .data = {}};
  if (!poll || ::epoll_ctl(poll.get(), EPOLL_CTL_ADD, frames.value().get(), &readable) != 0) {
    return os::system_error("TAP_FAILED", "watch interface", source_->interface(), errno);
  }
  frames_ = std::move(frames).value();
  poll_ = std::move(poll);
  merges_udp_ = true;
  phase_.store(Phase::attached, std::memory_order_relaxed);
  return Done{};
}

void KernelLink::close() noexcept {
  poll_.reset();
  frames_.reset();
  source_->close();
  phase_.store(Phase::closed, std::memory_order_relaxed);
}

void KernelLink::receive(Burst& burst) noexcept {
  if (!frames_) return;
  BurstReader reader(burst, facts_.payload);
  switch (source_->read(frames_.get(), reader)) {
    case InterfaceCondition::unknown:
      return;
    case InterfaceCondition::up:
      return note(Phase::attached);
    case InterfaceCondition::down:
      return note(Phase::interface_down);
    case InterfaceCondition::deleted:
      return lose_interface();
  }
}

bool KernelLink::arm() noexcept {
  if (!frames_) return false;
  pollfd frames{.fd = frames_.get(), .events = POLLIN, .revents = 0};
  if (::poll(&frames, 1, 0) <= 0) return false;
  if ((frames.revents & POLLIN) != 0) return true;
  lose_interface();
  return false;
}

void KernelLink::note(Phase phase) noexcept {
  if (phase_.load(std::memory_order_relaxed) != phase) phase_.store(phase, std::memory_order_relaxed);
}

// A descriptor whose TAP was deleted stays readable forever (EPOLLERR in tun_chr_poll()), so that a sleeping worker
// would spin. So the descriptor leaves the epoll instance that workers wait for, which then never wakes them again.
void KernelLink::lose_interface() noexcept {
  phase_.store(Phase::gone, std::memory_order_relaxed);
  ::epoll_ctl(poll_.get(), EPOLL_CTL_DEL, frames_.get(), nullptr);
  frames_.reset();
}

}  // namespace crosswire

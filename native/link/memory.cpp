// SPDX-License-Identifier: Apache-2.0
#include "link/memory.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "core/headers.hpp"
#include "os/error.hpp"

namespace crosswire {
namespace {

std::vector<uint8_t> gather(const Burst& burst, const Frame& frame) {
  std::vector<uint8_t> bytes(frame.length);
  bytes.resize(copy_head(burst, frame, bytes.data(), frame.length));
  return bytes;
}

}  // namespace

MemoryLink::MemoryLink(Options options)
    : options_(std::move(options)),
      facts_{options_.name, "memory", options_.payload, options_.max_frame, options_.takes_offloads} {}

bool MemoryLink::inject(MemoryFrame frame) {
  if (frame.bytes.empty() || frame.cuts.size() > Burst::max_more) return false;
  const std::lock_guard lock(mutex_);
  if (inbound_.size() >= options_.inbound_capacity) return false;
  inbound_.push_back(std::move(frame));
  signal();
  return true;
}

std::vector<MemoryFrame> MemoryLink::collect() {
  const std::lock_guard lock(mutex_);
  std::vector<MemoryFrame> frames(std::make_move_iterator(outbound_.begin()), std::make_move_iterator(outbound_.end()));
  outbound_.clear();
  return frames;
}

bool MemoryLink::wait_for(size_t frames, std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  return transmitted_.wait_for(lock, limit, [&] { return outbound_.size() >= frames; });
}

void MemoryLink::count_drop(DropReason reason, uint32_t units) {
  const std::lock_guard lock(mutex_);
  dropped_[static_cast<size_t>(reason)] += units;
  signal();
}

void MemoryLink::set_up(bool up) {
  const std::lock_guard lock(mutex_);
  up_ = up;
}

void MemoryLink::refuse_next(DropReason reason) {
  const std::lock_guard lock(mutex_);
  refuse_next_ = reason;
}

LinkState MemoryLink::state() const {
  const std::lock_guard lock(mutex_);
  return {.up = up_, .detail = up_ ? "in memory" : "set down by the test"};
}

Result<> MemoryLink::open() {
  event_ = os::Fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event_) return os::system_error("LINK_FAILED", "create eventfd", options_.name, errno);
  return Done{};
}

void MemoryLink::close() noexcept { event_.reset(); }

void MemoryLink::receive(Burst& burst) noexcept {
  release();
  const std::lock_guard lock(mutex_);
  for (size_t i = 0; i < dropped_.size(); ++i) burst.dropped[i] += std::exchange(dropped_[i], 0);
  while (!inbound_.empty() && burst.count < Burst::capacity && lend(burst, inbound_.front())) {
    lent_.push_back(std::move(inbound_.front()));  // moving a vector leaves its bytes where they are
    inbound_.pop_front();
  }
}

void MemoryLink::release() noexcept { lent_.clear(); }

// False when the burst has no segments left for this frame.
bool MemoryLink::lend(Burst& burst, const MemoryFrame& frame) {
  if (burst.segment_count + frame.cuts.size() > Burst::segment_capacity) return false;
  const auto length = static_cast<uint32_t>(frame.bytes.size());
  Frame& lent = burst.frames[burst.count++];
  lent = Frame{frame.bytes.data(), frame.cuts.empty() ? length : frame.cuts.front(), length};
  lent.units = frame.units;
  lent.more = static_cast<uint16_t>(frame.cuts.size());
  lent.first_more = static_cast<uint16_t>(burst.segment_count);
  for (size_t i = 0; i < frame.cuts.size(); ++i) {
    const uint32_t end = i + 1 < frame.cuts.size() ? frame.cuts[i + 1] : length;
    burst.segments[burst.segment_count++] = {frame.bytes.data() + frame.cuts[i], end - frame.cuts[i]};
  }
  if (frame.offload) {
    burst.offloads[burst.offload_count++] = *frame.offload;
    lent.offload = static_cast<uint16_t>(burst.offload_count);
  }
  return true;
}

Transmitted MemoryLink::transmit(const Burst& burst, uint32_t first, uint32_t count) noexcept {
  Transmitted result;
  {
    const std::lock_guard lock(mutex_);
    while (result.taken < count) {
      const auto refused = deliver(burst, burst.frames[first + result.taken], result);
      if (refused) {
        result.reason = *refused;
        break;
      }
      ++result.taken;
    }
  }
  transmitted_.notify_all();
  return result;
}

std::optional<DropReason> MemoryLink::deliver(const Burst& burst, const Frame& frame, Transmitted& result) {
  const Offload* offload = burst.offload_of(frame);
  if (!up_) return DropReason::link_down;
  if (refuse_next_) return std::exchange(refuse_next_, std::nullopt);
  if (longest_wire_frame(frame, offload) > options_.max_frame) return DropReason::too_big;
  if (offload != nullptr && !options_.takes_offloads) return deliver_segments(burst, frame, result);
  if (outbound_.size() >= options_.outbound_capacity) return DropReason::tx_full;
  MemoryFrame delivered{.bytes = gather(burst, frame), .units = frame.units};
  if (offload != nullptr) delivered.offload = *offload;
  outbound_.push_back(std::move(delivered));
  return {};
}

std::optional<DropReason> MemoryLink::deliver_segments(const Burst& burst, const Frame& frame, Transmitted& result) {
  Segmenter segmenter(burst, frame, options_.payload);
  if (segmenter.refused()) return segmenter.refused();
  uint32_t units = 0;
  uint64_t bytes = 0;
  while (segmenter.next()) {
    if (outbound_.size() >= options_.outbound_capacity) {
      result.partial_units = units;
      result.partial_bytes = bytes;
      return DropReason::tx_full;
    }
    MemoryFrame delivered;
    for (Segment piece; (piece = segmenter.take(segmenter.length())).length > 0;) {
      delivered.bytes.insert(delivered.bytes.end(), piece.data, piece.data + piece.length);
    }
    outbound_.push_back(std::move(delivered));
    ++units;
    bytes += segmenter.length();
  }
  return {};
}

bool MemoryLink::arm() noexcept {
  const std::lock_guard lock(mutex_);
  armed_ = true;
  return !inbound_.empty() || std::any_of(dropped_.begin(), dropped_.end(), [](uint32_t n) { return n > 0; });
}

void MemoryLink::disarm() noexcept {
  const std::lock_guard lock(mutex_);
  armed_ = false;
  uint64_t count;
  // EAGAIN, if nothing was signalled, is harmless.
  [[maybe_unused]] const ssize_t ignored = ::read(event_.get(), &count, sizeof count);
}

// Requires the mutex, so that nothing writes to the descriptor after disarm() has drained it.
void MemoryLink::signal() noexcept {
  if (!armed_ || !event_) return;
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t ignored = ::write(event_.get(), &one, sizeof one);
}

}  // namespace crosswire

// SPDX-License-Identifier: Apache-2.0
#include "core/coalescer.hpp"

#include <cstring>

namespace crosswire {
namespace {

constexpr uint32_t longest_packet = 65535;
constexpr uint32_t most_datagrams = 64;  // UDP_MAX_SEGMENTS (linux/udp.h), 128 in newer kernels

}  // namespace

bool Coalescer::next() noexcept {
  first_ += frames_;
  if (first_ == end_) return false;
  frames_ = 1;
  if (ahead_ == Ahead::mergeable) {
    head_ ^= 1;
  } else if (ahead_ == Ahead::plain || first_ + 1 == end_ || !read(first_, heads_[head_])) {
    ahead_ = Ahead::unknown;
    return true;
  }
  ahead_ = Ahead::unknown;
  for (uint32_t index; (index = first_ + frames_) < end_; ++frames_) {
    Mergeable& candidate = heads_[head_ ^ 1];
    if (!read(index, candidate)) {
      ahead_ = Ahead::plain;
      break;
    }
    if (!append(candidate, index)) {
      ahead_ = Ahead::mergeable;
      break;
    }
  }
  if (frames_ > 1) finish_merged(heads_[head_], payload_length_, last_flags_);
  return true;
}

bool Coalescer::read(uint32_t index, Mergeable& out) const noexcept {
  const Frame& frame = burst_.frames[index];
  if (frame.length > limits_.max_frame || !read_mergeable(burst_, frame, limits_.payload, out)) return false;
  return limits_.udp || out.is_tcp();
}

bool Coalescer::append(const Mergeable& candidate, uint32_t index) noexcept {
  const Mergeable& head = heads_[head_];
  if (frames_ == 1) begin(head, candidate);
  if (!continues(candidate)) return false;
  if (frames_ == 1 && !open_run(head)) return false;
  if (!list_payload(candidate, index) || !sums_.holds(candidate, listed())) return false;
  piece_count_ += listed_count_;
  payload_length_ += candidate.payload_length;
  last_length_ = candidate.payload_length;
  last_flags_ = candidate.last_flags;
  last_id_ = candidate.id;
  return true;
}

void Coalescer::begin(const Mergeable& head, const Mergeable& second) noexcept {
  piece_count_ = 0;
  payload_length_ = last_length_ = head.payload_length;
  last_flags_ = head.last_flags;
  last_id_ = head.id;
  id_step_ = head.dont_fragment && second.id == head.id ? 0 : 1;
}

// A frame without a successor in its flow costs no checksum.
bool Coalescer::open_run(const Mergeable& head) noexcept {
  sums_ = SharedSums(head);
  if (!list_payload(head, first_) || !sums_.holds(head, listed())) return false;
  piece_count_ = listed_count_;
  return true;
}

bool Coalescer::continues(const Mergeable& candidate) const noexcept {
  const Mergeable& head = heads_[head_];
  if (last_flags_ != 0 || last_length_ != head.payload_length || candidate.payload_length > last_length_) return false;
  if (candidate.at.end != head.at.end) return false;
  if (std::memcmp(candidate.header.data(), head.header.data(), head.at.end) != 0) return false;
  const uint32_t packet = head.at.end - head.at.network + payload_length_ + candidate.payload_length;
  if (packet > longest_packet) return false;
  if (head.at.ip_version == 4 && candidate.id != static_cast<uint16_t>(last_id_ + id_step_)) return false;
  return head.is_tcp() ? candidate.sequence == head.sequence + payload_length_ : frames_ < most_datagrams;
}

// Appends the pieces of the frame's payload to those of the run; false if there is no room.
bool Coalescer::list_payload(const Mergeable& frame, uint32_t index) noexcept {
  const Frame& lent = burst_.frames[index];
  uint32_t skipped = frame.at.end;
  uint32_t used = piece_count_;
  const auto list = [&](const Segment& part) {
    const uint32_t skip = skipped < part.length ? skipped : part.length;
    skipped -= skip;
    if (skip < part.length) pieces_[used++] = {part.data + skip, part.length - skip};
  };
  if (pieces_.size() - used < lent.more + 1u) return false;
  list({lent.data, lent.head_length});
  for (const Segment& segment : burst_.more_of(lent)) list(segment);
  listed_count_ = used - piece_count_;
  return true;
}

std::span<const Segment> Coalescer::listed() const noexcept { return {pieces_.data() + piece_count_, listed_count_}; }

Offload Coalescer::offload() const noexcept {
  using Segmentation = Offload::Segmentation;
  const Mergeable& head = heads_[head_];
  const Segmentation tcp = head.at.ip_version == 4 ? Segmentation::tcp4 : Segmentation::tcp6;
  return {.needs_checksum = true,
          .checksum_start = head.at.transport,
          .checksum_offset = head.checksum_offset(),
          .segmentation = head.is_tcp() ? tcp : Segmentation::udp,
          .header_length = head.at.end,
          .segment_size = static_cast<uint16_t>(head.payload_length)};
}

}  // namespace crosswire

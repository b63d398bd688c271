// SPDX-License-Identifier: Apache-2.0
// The Segmenter's inverse, for sinks that take super-frames: finds adjacent frames in a burst that one super-frame can
// represent. Splitting the super-frame yields the same frames, byte for byte, with one exception: if a sender gives all
// its unfragmentable packets the same IPv4 identification, they come out numbered (RFC 6864 §4.1: the identification of
// such packets has no meaning).
//
//   Coalescer runs(burst, first, count, limits);
//   while (runs.next()) {
//     if (runs.frames() == 1) → deliver that frame as it stands
//     else → deliver runs.header() and runs.payload() with runs.offload(): it stands for runs.frames() frames
//   }
//
// Only adjacent frames: a sink takes frames from the front (core/link.hpp), so none may overtake another. Checksums are
// verified first, since nobody can verify them afterwards. The source may rewrite its memory meanwhile. Headers are
// therefore read once into a private copy, checked there and delivered from there, and lengths come only from the
// Frame. The worst that a source achieves is a wrong payload with a valid checksum, which it could have sent anyway.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "core/burst.hpp"
#include "core/mergeable.hpp"

namespace crosswire {

class Coalescer {
 public:
  static constexpr uint32_t max_pieces = 256;  // of a run's payload: one write(2) takes 1024 (IOV_MAX)

  struct Limits {
    Payload payload = Payload::ethernet;
    uint32_t max_frame = 0;  // longer frames are not merged
    bool udp = true;         // merge UDP too
  };

  Coalescer(const Burst& burst, uint32_t first, uint32_t count, const Limits& limits) noexcept
      : burst_(burst), limits_(limits), first_(first), end_(first + count) {}
  Coalescer(const Coalescer&) = delete;
  Coalescer& operator=(const Coalescer&) = delete;

  // Finds the next run; false behind the last frame.
  bool next() noexcept;
  uint32_t frames() const noexcept { return frames_; }

  // Of a run of several frames.
  Segment header() const noexcept { return {heads_[head_].header.data(), heads_[head_].at.end}; }
  std::span<const Segment> payload() const noexcept { return {pieces_.data(), piece_count_}; }
  Offload offload() const noexcept;

 private:
  enum class Ahead : uint8_t { unknown, mergeable, plain };

  bool read(uint32_t index, Mergeable& out) const noexcept;
  bool append(const Mergeable& candidate, uint32_t index) noexcept;
  void begin(const Mergeable& head, const Mergeable& second) noexcept;
  bool open_run(const Mergeable& head) noexcept;
  bool continues(const Mergeable& candidate) const noexcept;
  bool list_payload(const Mergeable& frame, uint32_t index) noexcept;
  std::span<const Segment> listed() const noexcept;

  const Burst& burst_;
  const Limits limits_;
  uint32_t first_;  // of the run
  const uint32_t end_;
  uint32_t frames_ = 0;  // in the run

  uint8_t head_ = 0;              // heads_[head_] is the run's first frame, the other one the frame after the run
  Ahead ahead_ = Ahead::unknown;  // what is known of the frame after the run
  uint8_t last_flags_ = 0;        // of the run's last frame
  uint16_t last_id_ = 0;
  uint16_t id_step_ = 0;         // from frame to frame: 1, or 0
  uint32_t last_length_ = 0;     // of its payload
  uint32_t payload_length_ = 0;  // of all
  uint32_t piece_count_ = 0;     // of the run's payload
  uint32_t listed_count_ = 0;    // and of the frame that may become part of it
  SharedSums sums_;

  std::array<Mergeable, 2> heads_;
  std::array<Segment, max_pieces> pieces_;
};

}  // namespace crosswire

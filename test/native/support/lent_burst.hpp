// SPDX-License-Identifier: Apache-2.0
// A burst of frames whose pieces are separate allocations, and the runs that a Coalescer finds in it.
#pragma once

#include <memory>
#include <vector>

#include "core/coalescer.hpp"
#include "support/packet.hpp"

namespace crosswire::test {

// Every piece is a separate allocation, so that AddressSanitizer detects an access to one byte too many.
class LentBurst {
 public:
  void add(const Bytes& bytes, const std::vector<size_t>& cuts = {}) {
    Frame& frame = burst_->frames[burst_->count++];
    frame = Frame{nullptr, 0, uint32_t(bytes.size())};
    frame.more = uint16_t(cuts.size());
    frame.first_more = uint16_t(burst_->segment_count);
    size_t from = 0;
    for (size_t i = 0; i <= cuts.size(); ++i) {
      const size_t to = i < cuts.size() ? cuts[i] : bytes.size();
      pieces_.push_back(std::make_unique<Bytes>(bytes.begin() + long(from), bytes.begin() + long(to)));
      const Segment piece{pieces_.back()->data(), uint32_t(to - from)};
      if (i == 0) {
        frame.data = piece.data;
        frame.head_length = piece.length;
      } else {
        burst_->segments[burst_->segment_count++] = piece;
      }
      from = to;
    }
  }

  Burst& burst() { return *burst_; }
  Bytes& piece(size_t index) { return *pieces_[index]; }

 private:
  std::vector<std::unique_ptr<Bytes>> pieces_;
  std::unique_ptr<Burst> burst_ = std::make_unique<Burst>();
};

struct Run {
  uint32_t frames = 1;
  Bytes bytes = {};  // of several frames
  Offload offload = {};
};

inline std::vector<Run> coalesce(const Burst& burst, const Coalescer::Limits& limits) {
  std::vector<Run> runs;
  Coalescer coalescer(burst, 0, burst.count, limits);
  while (coalescer.next()) {
    Run& run = runs.emplace_back();
    run.frames = coalescer.frames();
    if (run.frames == 1) continue;
    run.offload = coalescer.offload();
    const Segment header = coalescer.header();
    run.bytes.assign(header.data, header.data + header.length);
    for (const Segment& piece : coalescer.payload())
      run.bytes.insert(run.bytes.end(), piece.data, piece.data + piece.length);
  }
  return runs;
}

inline std::vector<uint32_t> lengths(const std::vector<Run>& runs) {
  std::vector<uint32_t> frames;
  for (const Run& run : runs) frames.push_back(run.frames);
  return frames;
}

}  // namespace crosswire::test

// SPDX-License-Identifier: Apache-2.0
// A burst of one frame whose pieces are separate allocations, and a Segmenter run to its end.
#pragma once

#include <memory>
#include <optional>
#include <random>
#include <vector>

#include "core/segmenter.hpp"
#include "support/packet.hpp"

namespace crosswire::test {

// Every piece is a separate allocation, so that AddressSanitizer detects an access to one byte too many.
class LentFrame {
 public:
  LentFrame(const Bytes& bytes, const std::vector<size_t>& cuts, std::optional<Offload> offload, uint16_t units = 1) {
    size_t from = 0;
    for (size_t cut : cuts) {
      pieces_.emplace_back(bytes.begin() + long(from), bytes.begin() + long(cut));
      from = cut;
    }
    pieces_.emplace_back(bytes.begin() + long(from), bytes.end());
    Frame& frame = burst_->frames[0];
    frame = Frame{pieces_[0].data(), uint32_t(pieces_[0].size()), uint32_t(bytes.size())};
    frame.units = units;
    frame.more = uint16_t(cuts.size());
    for (size_t i = 1; i < pieces_.size(); ++i) {
      burst_->segments[burst_->segment_count++] = {pieces_[i].data(), uint32_t(pieces_[i].size())};
    }
    burst_->count = 1;
    if (!offload) return;
    burst_->offloads[0] = *offload;
    burst_->offload_count = frame.offload = 1;
  }

  const Burst& burst() const { return *burst_; }
  const Frame& frame() const { return burst_->frames[0]; }
  std::vector<Bytes>& pieces() { return pieces_; }

 private:
  std::vector<Bytes> pieces_;
  std::unique_ptr<Burst> burst_ = std::make_unique<Burst>();
};

inline std::vector<size_t> random_cuts(std::mt19937& random, size_t length) {
  std::vector<size_t> cuts;
  for (size_t at = 0; random() % 4 != 0;) {
    at += random() % (length / 3 + 2);  // empty pieces happen
    if (at > length) break;
    cuts.push_back(at);
  }
  return cuts;
}

// Takes every frame in chunks of at most `chunk` bytes.
inline std::vector<Bytes> drain(Segmenter& segmenter, uint32_t chunk) {
  std::vector<Bytes> frames;
  while (segmenter.next()) {
    Bytes bytes;
    for (Segment piece; (piece = segmenter.take(chunk)).length > 0;) {
      bytes.insert(bytes.end(), piece.data, piece.data + piece.length);
    }
    frames.push_back(std::move(bytes));
  }
  return frames;
}

}  // namespace crosswire::test

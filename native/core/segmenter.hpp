// SPDX-License-Identifier: Apache-2.0
// Does the work that an Offload describes, for sinks that cannot pass it on: splits a super-frame into the frames it
// stands for, or fills in a checksum. There is no intermediate copy: the sink copies straight into its own memory.
//
//   Segmenter segmenter(burst, frame, payload);
//   if (segmenter.refused()) → drop the frame for *segmenter.refused()
//   while (segmenter.next()) {
//     if (no room for segmenter.length() bytes) → tx_full; what was delivered before counts as partial
//     for (Segment piece; (piece = segmenter.take(room_in_chunk)).length > 0;) copy(piece)
//   }
//
// A frame without offload yields itself. The source may rewrite its memory meanwhile. Headers are therefore read once
// into a private copy, and lengths come only from the Frame. The worst that a source achieves is a frame with a wrong
// checksum.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "core/burst.hpp"
#include "core/checksum.hpp"
#include "core/headers.hpp"

namespace crosswire {

class Segmenter {
 public:
  Segmenter(const Burst& burst, const Frame& frame, Payload payload) noexcept;
  Segmenter(const Segmenter&) = delete;
  Segmenter& operator=(const Segmenter&) = delete;

  std::optional<DropReason> refused() const noexcept { return refused_; }

  // Prepares the next frame; false after the last one. A frame may be taken in part or not at all.
  bool next() noexcept;
  uint32_t length() const noexcept { return header_length_ + payload_length_; }

  // The next contiguous bytes of the current frame, at most `at_most`; length 0 at its end.
  Segment take(uint32_t at_most) noexcept;

 private:
  struct Cursor {
    uint32_t index = 0;   // 0: the frame's head; n: its n-th further segment
    uint32_t offset = 0;  // into that segment
  };

  Segment contiguous(Cursor& cursor, uint32_t at_most) const noexcept;
  void skip(Cursor& cursor, uint32_t bytes) const noexcept;
  void prepare_checksum() noexcept;
  void prepare_segmentation(Payload payload) noexcept;
  void prepare_network_header() noexcept;
  void prepare_transport_header() noexcept;
  void finish_network_header() noexcept;
  void finish_transport_header() noexcept;
  void finish_checksum(Checksum sum) noexcept;
  void add_payload(Checksum& sum) noexcept;

  const Burst& burst_;
  const Frame& frame_;
  Offload offload_;
  TransportHeaders headers_;  // only with segmentation
  std::optional<DropReason> refused_;

  uint32_t header_length_ = 0;   // private bytes in front of every frame
  uint32_t payload_length_ = 0;  // of the current frame, in the source's memory
  uint32_t remaining_ = 0;       // payload bytes of the frames still to come
  uint32_t number_ = 0;          // frames yielded so far
  Cursor ahead_;                 // where the next frame's payload begins
  Cursor reading_;               // where take() goes on
  uint32_t header_taken_ = 0;
  uint32_t payload_taken_ = 0;

  // With segmentation, what differs from frame to frame: its value in the super-frame, and the sums of all the rest.
  uint32_t sequence_ = 0;
  uint16_t id_ = 0;
  uint8_t tcp_flags_ = 0;
  Checksum network_sum_;
  Checksum transport_sum_;  // of the pseudo header and the transport header

  std::array<uint8_t, max_header> header_;  // the current frame's
};

}  // namespace crosswire

// SPDX-License-Identifier: Apache-2.0
// Any claim about any frame in any segments: the check and the Segmenter stay in bounds and agree on what comes out,
// even when the bytes change between the two.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "../support/packet.hpp"
#include "core/offload.hpp"
#include "core/segmenter.hpp"

using namespace crosswire;

namespace {

class Input {
 public:
  Input(const uint8_t* data, size_t size) : data_(data), size_(size) {}
  uint8_t byte() { return size_ == 0 ? uint8_t{0} : (--size_, *data_++); }
  uint16_t word() { return static_cast<uint16_t>(byte() << 8 | byte()); }
  // Xors the remaining input onto the bytes, and appends what exceeds them.
  void disturb(std::vector<uint8_t>& bytes) const {
    bytes.resize(std::max(bytes.size(), size_));
    for (size_t i = 0; i < size_; ++i) bytes[i] ^= data_[i];
  }

 private:
  const uint8_t* data_;
  size_t size_;
};

void require(bool holds) {
  if (!holds) std::abort();
}

// A valid request, for the input to corrupt.
std::vector<uint8_t> super_frame(Input& input, Payload payload, uint8_t* virtio) {
  const uint8_t shape = input.byte();
  test::PacketSpec spec{.ethernet = payload == Payload::ethernet, .finished = false};
  spec.ip_version = (shape & 1) != 0 ? 6 : 4;
  spec.udp = (shape & 2) != 0;
  spec.tags.assign((shape >> 2) & 3, 0x8100);
  if ((shape & 16) != 0) spec.ip_options.assign(8, 1);
  if ((shape & 32) != 0) spec.extensions.assign(16, 0);
  if ((shape & 64) != 0) spec.tcp_options.assign(12, 1);
  spec.data.assign(input.word(), 0x5a);
  const test::Packet packet = test::build(spec);
  const uint8_t tcp = spec.ip_version == 4 ? VirtioHeader::gso_tcp4 : VirtioHeader::gso_tcp6;
  encode_virtio({.flags = 1,
                 .gso_type = spec.udp ? VirtioHeader::gso_udp : tcp,
                 .gso_size = static_cast<uint16_t>(1 + input.byte() * 32u),
                 .checksum_start = static_cast<uint16_t>(packet.transport),
                 .checksum_offset = static_cast<uint16_t>(spec.udp ? 6 : 16)},
                virtio);
  return packet.bytes;
}

// Pieces with an allocation each, so that AddressSanitizer guards their ends.
struct Pieces {
  std::vector<std::unique_ptr<uint8_t[]>> memory;
  std::vector<uint32_t> lengths;

  void add(const uint8_t* bytes, uint32_t length) {
    memory.push_back(std::make_unique<uint8_t[]>(length));
    if (length > 0) std::memcpy(memory.back().get(), bytes, length);
    lengths.push_back(length);
  }
};

Pieces cut(const std::vector<uint8_t>& bytes, uint32_t piece) {
  Pieces pieces;
  const auto size = static_cast<uint32_t>(bytes.size());
  for (uint32_t at = 0; at < size && pieces.lengths.size() < Burst::max_more; at += piece) {
    pieces.add(bytes.data() + at, std::min(piece, size - at));
  }
  if (pieces.lengths.empty()) pieces.add(nullptr, 0);
  return pieces;
}

void lend(Burst& burst, const Pieces& pieces, const Offload& offload) {
  burst.clear();
  Frame& frame = burst.frames[0];
  frame = Frame{pieces.memory[0].get(), pieces.lengths[0], 0};
  for (uint32_t length : pieces.lengths) frame.length += length;
  frame.more = static_cast<uint16_t>(pieces.lengths.size() - 1);
  for (size_t i = 1; i < pieces.lengths.size(); ++i)
    burst.segments[i - 1] = {pieces.memory[i].get(), pieces.lengths[i]};
  burst.offloads[0] = offload;
  frame.offload = 1;
}

// How many frames came out; checks that each has the length that was announced.
uint32_t drain(Segmenter& segmenter, uint32_t chunk, uint64_t& bytes) {
  uint32_t frames = 0;
  std::vector<uint8_t> copy;
  for (; segmenter.next(); ++frames) {
    copy.clear();
    for (Segment piece; (piece = segmenter.take(chunk)).length > 0;) {
      copy.insert(copy.end(), piece.data, piece.data + piece.length);
    }
    require(copy.size() == segmenter.length());
    bytes += copy.size();
  }
  return frames;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto burst = std::make_unique<Burst>();
  Input input(data, size);
  const uint8_t mode = input.byte();
  const Payload payload = (mode & 1) != 0 ? Payload::ip : Payload::ethernet;
  const uint32_t piece = 1 + input.byte() * 8u, chunk = 1 + input.byte() * 8u;
  const uint16_t change_at = input.word();
  const uint8_t change_to = input.byte();
  uint8_t virtio[VirtioHeader::size] = {};
  std::vector<uint8_t> bytes;
  if ((mode & 16) != 0) bytes = super_frame(input, payload, virtio);
  for (uint8_t& byte : virtio) byte ^= input.byte();
  input.disturb(bytes);

  Pieces pieces = cut(bytes, piece);
  lend(*burst, pieces, {});
  Frame& frame = burst->frames[0];
  if (frame.length > max_frame_length) return 0;

  uint8_t head[max_header];
  const uint32_t head_length = copy_head(*burst, frame, head, max_header);
  const CheckedOffload checked = check_offload(decode_virtio(virtio), {head, head_length}, frame.length, payload);
  Offload offload = checked.offload;
  if ((mode & 2) != 0) {  // unchecked: a source link with a bug must not take the sink down
    offload.needs_checksum = (mode & 4) != 0;
    offload.segmentation = static_cast<Offload::Segmentation>(mode >> 6);
    offload.header_length = static_cast<uint16_t>(virtio[2] << 8 | virtio[3]);
    offload.segment_size = static_cast<uint16_t>(virtio[4] << 8 | virtio[5]);
    offload.checksum_start = virtio[6];
    offload.checksum_offset = virtio[8];
  } else if (checked.refused || !checked.present) {
    return 0;
  }
  burst->offloads[0] = offload;
  frame.units = checked.units;

  const bool changed = (mode & 8) != 0 && change_at < pieces.lengths[0];
  if (changed) pieces.memory[0][change_at] = change_to;

  uint64_t out = 0;
  Segmenter segmenter(*burst, frame, payload);
  const uint32_t frames = segmenter.refused() ? 0 : drain(segmenter, chunk, out);
  if ((mode & 2) != 0 || (segmenter.refused() && changed)) return 0;
  if (segmenter.refused()) {  // only a field beyond the private header may pass the one and not the other
    require(offload.checksum_start + uint32_t{offload.checksum_offset} + 2 > max_header);
    return 0;
  }
  require(frames == checked.units);
  require(out == wire_bytes(frame, &offload));
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
// Any burst of adjacent frames, corrupted anywhere: the runs cover it in order, and splitting a run yields exactly the
// frames from which it was made.
#include <cstdlib>
#include <memory>
#include <vector>

#include "../support/packet.hpp"
#include "core/bytes.hpp"
#include "core/coalescer.hpp"
#include "core/offload.hpp"
#include "core/segmenter.hpp"

using namespace crosswire;
using test::Bytes;

namespace {

class Input {
 public:
  Input(const uint8_t* data, size_t size) : data_(data), size_(size) {}
  uint8_t byte() { return size_ == 0 ? uint8_t{0} : (--size_, *data_++); }
  uint16_t word() { return static_cast<uint16_t>(byte() << 8 | byte()); }

 private:
  const uint8_t* data_;
  size_t size_;
};

void require(bool holds) {
  if (!holds) std::abort();
}

// Frames with an allocation for each piece, so that AddressSanitizer guards their ends.
struct Lent {
  std::vector<Bytes> frames;
  std::vector<std::unique_ptr<Bytes>> pieces;
  std::unique_ptr<Burst> burst = std::make_unique<Burst>();

  void add(const Bytes& bytes, uint32_t cut) {
    if (bytes.empty() || burst->count == Burst::capacity || burst->segment_count == Burst::segment_capacity) return;
    frames.push_back(bytes);
    const bool two = cut > 0 && cut < bytes.size();
    const size_t head = two ? cut : bytes.size();
    Frame& frame = burst->frames[burst->count++];
    frame = Frame{keep(bytes, 0, head), static_cast<uint32_t>(head), static_cast<uint32_t>(bytes.size())};
    frame.first_more = static_cast<uint16_t>(burst->segment_count);
    if (!two) return;
    frame.more = 1;
    burst->segments[burst->segment_count++] = {keep(bytes, head, bytes.size()),
                                               static_cast<uint32_t>(bytes.size() - head)};
  }

 private:
  const uint8_t* keep(const Bytes& bytes, size_t from, size_t to) {
    pieces.push_back(std::make_unique<Bytes>(bytes.begin() + long(from), bytes.begin() + long(to)));
    return pieces.back()->data();
  }
};

// Frames that continue each other, except for what the input changes in one of them.
Lent neighbours(Input& input, Payload payload) {
  Lent lent;
  const uint8_t shape = input.byte();
  test::PacketSpec spec{.ethernet = payload == Payload::ethernet, .ip_version = (shape & 1) != 0 ? 6 : 4};
  spec.udp = (shape & 2) != 0;
  if (spec.ethernet) spec.tags.assign((shape >> 2) & 3, 0x8100);
  if ((shape & 16) != 0) spec.ip_options.assign(4, 1);
  if ((shape & 64) != 0) spec.tcp_options.assign(12, 1);
  const uint32_t size = 1 + input.byte() * 8u;
  const uint32_t count = 1 + input.byte() % 80u;
  for (uint32_t i = 0; i < count; ++i) {
    const uint8_t change = input.byte();
    test::PacketSpec one = spec;
    one.data.assign((change & 1) != 0 ? 1 + input.byte() : size, static_cast<uint8_t>(i));
    one.tcp_flags = (change & 2) != 0 ? input.byte() : 0x10;
    if ((change & 4) != 0) one.id = input.word();
    if ((change & 8) != 0) one.sequence += input.byte();
    Bytes bytes = test::build(one).bytes;
    if ((change & 16) != 0) bytes[input.word() % bytes.size()] ^= input.byte();
    if ((change & 32) != 0) bytes.resize(input.word() % 200);
    lent.add(bytes, (change & 64) != 0 ? input.byte() : 0);
    spec.sequence += size;
    if ((shape & 128) == 0) spec.id++;
  }
  return lent;
}

// 0 and 0xffff are the same checksum, and constant identifications come out numbered.
Bytes comparable(Bytes bytes, const Offload& offload, Payload payload) {
  const auto headers = parse_transport(bytes, payload);
  require(headers.has_value());
  const auto forget = [&](uint32_t at) { store_be16(&bytes[at], 0); };
  const uint32_t checksum = offload.checksum_start + offload.checksum_offset;
  if (load_be16(&bytes[checksum]) == 0xffff) forget(checksum);
  if (headers->ip_version == 6) return bytes;
  forget(headers->network + 10u);
  if ((bytes[headers->network + 6u] & 0x40) != 0) forget(headers->network + 4u);
  return bytes;
}

Bytes joined(const Coalescer& run) {
  Bytes bytes(run.header().data, run.header().data + run.header().length);
  for (const Segment& piece : run.payload()) bytes.insert(bytes.end(), piece.data, piece.data + piece.length);
  return bytes;
}

void check_run(const Coalescer& run, const Lent& lent, uint32_t first, Payload payload) {
  const Bytes whole = joined(run);
  const auto length = static_cast<uint32_t>(whole.size());
  const Offload offload = run.offload();
  const CheckedOffload checked = check_offload(claim_of(&offload), whole, length, payload);
  require(!checked.refused && checked.units == run.frames());

  static const auto burst = std::make_unique<Burst>();
  burst->clear();
  burst->frames[0] = Frame{whole.data(), length, length};
  burst->frames[0].offload = burst->count = burst->offload_count = 1;
  burst->offloads[0] = checked.offload;
  Segmenter segmenter(*burst, burst->frames[0], payload);
  for (uint32_t i = 0; i < run.frames(); ++i) {
    require(segmenter.next());
    Bytes frame;
    for (Segment piece; (piece = segmenter.take(1000)).length > 0;) {
      frame.insert(frame.end(), piece.data, piece.data + piece.length);
    }
    require(comparable(frame, offload, payload) == comparable(lent.frames[first + i], offload, payload));
  }
  require(!segmenter.next());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input input(data, size);
  const uint8_t mode = input.byte();
  const Payload payload = (mode & 1) != 0 ? Payload::ip : Payload::ethernet;
  Lent lent = neighbours(input, payload);
  Coalescer runs(*lent.burst, 0, lent.burst->count, {payload, max_frame_length, (mode & 2) == 0});
  uint32_t seen = 0;
  for (; runs.next(); seen += runs.frames()) {
    require(runs.frames() >= 1 && seen + runs.frames() <= lent.burst->count);
    if (runs.frames() > 1) check_run(runs, lent, seen, payload);
  }
  require(seen == lent.burst->count);
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
// Measures what the defences against a hostile memif peer cost per frame, in nanoseconds: receiving, and carrying a
// burst from ring to ring, with the checks, without them, and with the production code; parsing headers in a private
// copy and in place; and guarding the memory of one more session. All with warm caches and one thread, so that waiting
// for the peer's cache lines hides none of the cost.
//   defences [FRAME_BYTES]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <vector>

#include "core/headers.hpp"
#include "link/memif/receive.hpp"
#include "link/memif/transmit.hpp"
#include "loop.hpp"
#include "os/memory_guard.hpp"
#include "peer.hpp"

namespace crosswire::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int rounds = 61;
constexpr int bursts = 200;

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<long>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

double nanoseconds(Clock::duration time) { return std::chrono::duration<double, std::nano>(time).count(); }

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "defences: %s\n", what);
  std::exit(1);
}

// Runs the alternatives in turn, so that a change of the machine's state affects all of them.
std::vector<double> by_turns(const std::vector<std::function<double()>>& ways) {
  std::vector<std::vector<double>> samples(ways.size());
  for (int round = 0; round < rounds; round++) {
    for (size_t way = 0; way < ways.size(); way++) samples[way].push_back(ways[way]());
  }
  std::vector<double> medians;
  for (auto& of_one : samples) medians.push_back(median(std::move(of_one)));
  return medians;
}

class Bed {
 public:
  explicit Bed(uint32_t frame_length) : source_(frame_length), sink_(frame_length) {}

  double receiving(void (*receive_frames)(memif::Session&, Burst&)) {
    return time(
        receive_frames, [](memif::Session&, const Burst& burst) { return burst.count; }, false);
  }
  double forwarding(void (*receive_frames)(memif::Session&, Burst&),
                    uint32_t (*transmit_frames)(memif::Session&, const Burst&)) {
    return time(receive_frames, transmit_frames, true);
  }

 private:
  double time(void (*receive_frames)(memif::Session&, Burst&),
              uint32_t (*transmit_frames)(memif::Session&, const Burst&), bool delivers) {
    Clock::duration all{};
    for (int i = 0; i < bursts; i++) {
      source_.send(Burst::capacity);
      const auto start = Clock::now();
      burst_->clear();
      receive_frames(source_.session, *burst_);
      const uint32_t sent = transmit_frames(sink_.session, *burst_);
      give_back(source_.session);
      all += Clock::now() - start;
      if (sent != Burst::capacity || (delivers && sink_.take() != sent)) fail("frames were lost");
    }
    return nanoseconds(all) / (double{bursts} * Burst::capacity);
  }

  Peer source_, sink_;
  std::unique_ptr<Burst> burst_ = std::make_unique<Burst>();
};

void receive_by_product(memif::Session& session, Burst& burst) { memif::receive_burst(session, burst); }
uint32_t transmit_by_product(memif::Session& session, const Burst& burst) {
  static memif::Notifier notifier;  // never rung: the peer polls
  return memif::transmit_burst(session, burst, 0, burst.count, notifier).taken;
}

// A burst of Ethernet frames with IPv4 and TCP headers, each frame on separate cache lines.
std::vector<uint8_t> tcp_frames(size_t stride) {
  std::vector<uint8_t> bytes(stride * Burst::capacity);
  for (size_t i = 0; i < Burst::capacity; i++) {
    uint8_t* frame = &bytes[i * stride];
    frame[12] = 0x08;  // IPv4
    frame[14] = 0x45;
    frame[16] = 1500 >> 8;  // length
    frame[17] = 1500 & 0xff;
    frame[23] = 6;     // TCP
    frame[46] = 0x50;  // without options
  }
  return bytes;
}

template <bool defended>
double parsing(const std::vector<uint8_t>& bytes, size_t stride) {
  static Burst burst;
  std::array<uint8_t, max_header> head;
  uint32_t found = 0;
  const auto start = Clock::now();
  for (int round = 0; round < bursts; round++) {
    for (size_t i = 0; i < Burst::capacity; i++) {
      const Frame frame{&bytes[i * stride], 1514, 1514};
      if constexpr (defended) {
        const uint32_t length = copy_head(burst, frame, head.data(), max_header);
        found += parse_transport({head.data(), length}, Payload::ethernet).has_value();
      } else {
        found += parse_transport({frame.data, max_header}, Payload::ethernet).has_value();
      }
    }
  }
  const auto all = Clock::now() - start;
  if (found != uint32_t{bursts} * Burst::capacity) fail("headers were not understood");
  return nanoseconds(all) / (double{bursts} * Burst::capacity);
}

// The cost of guarding one more session when a thousand are guarded.
double guarding() {
  static std::atomic<bool> poisoned{false};
  static std::array<uint8_t, 4096> memory;
  std::vector<os::MemoryGuard> others;
  others.reserve(1000);
  for (int i = 0; i < 1000; i++) others.emplace_back(memory.data(), memory.size(), poisoned);
  constexpr int times = 1000;
  const auto start = Clock::now();
  for (int i = 0; i < times; i++) const os::MemoryGuard guard(memory.data(), memory.size(), poisoned);
  return nanoseconds(Clock::now() - start) / times;
}

void run(uint32_t frame_length) {
  Bed bed(frame_length);
  const auto receiving =
      by_turns({[&] { return bed.receiving(receive<true>); }, [&] { return bed.receiving(receive<false>); },
                [&] { return bed.receiving(receive_by_product); }});
  const auto forwarding = by_turns({[&] { return bed.forwarding(receive<true>, transmit<true>); },
                                    [&] { return bed.forwarding(receive<false>, transmit<false>); },
                                    [&] { return bed.forwarding(receive_by_product, transmit_by_product); }});
  constexpr size_t stride = 2112;
  const auto frames = tcp_frames(stride);
  const auto headers =
      by_turns({[&] { return parsing<true>(frames, stride); }, [&] { return parsing<false>(frames, stride); }});
  const auto print = [](const char* name, const std::vector<double>& values) {
    std::printf("\"%s\":{\"defended\":%.3f,\"trusting\":%.3f", name, values[0], values[1]);
    if (values.size() > 2) std::printf(",\"product\":%.3f", values[2]);
    std::printf("},");
  };
  std::printf("{");
  print("receive", receiving);
  print("forward", forwarding);
  print("headers", headers);
  std::printf("\"guardPerSession\":%.1f}\n", guarding());
}

}  // namespace
}  // namespace crosswire::bench

int main(int count, char** arguments) {
  const int length = count > 1 ? std::atoi(arguments[1]) : 64;
  if (length < 60 || length > static_cast<int>(crosswire::bench::buffer_size)) {
    crosswire::bench::fail("FRAME_BYTES is from 60 to 2048");
  }
  crosswire::bench::run(static_cast<uint32_t>(length));
}

// SPDX-License-Identifier: Apache-2.0
// The parts of the bench's generator that need no DPDK: frames, checks, counters, commands and reports.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "generator/command.hpp"
#include "generator/histogram.hpp"
#include "generator/options.hpp"
#include "generator/pattern.hpp"
#include "generator/report.hpp"

using namespace crosswire::bench;

namespace {

std::vector<uint8_t> stamped(const Pattern& pattern, uint16_t size, uint32_t number) {
  std::vector<uint8_t> frame(size);
  pattern.fill(frame.data(), size, number);
  reinterpret_cast<Stamp*>(frame.data())->length = size;
  return frame;
}

std::string refusal(const std::string& line, uint32_t buffer_size = 2048) {
  Trial trial;
  std::string problem;
  const bool good = parse_trial(line, buffer_size, trial, problem);
  CHECK(good == problem.empty());
  return problem;
}

bool understood(const std::vector<std::string>& arguments, Options& options) {
  std::string problem;
  const bool good = parse_options(arguments, options, problem);
  CHECK(good == problem.empty());
  return good;
}

}  // namespace

TEST_CASE("the generator finds every damaged byte of a payload, and a length that is not the frame's") {
  const Pattern pattern;
  for (const uint16_t size : {60, 64, 67, 68, 69, 128, 570, 1518, 9000}) {
    CAPTURE(size);
    auto frame = stamped(pattern, size, 7);
    CHECK(pattern.intact(frame.data(), size));
    CHECK_FALSE(pattern.intact(frame.data(), size - 1));
    for (size_t i = sizeof(Stamp); i < size; i++) {
      frame[i] ^= 0x10;
      CHECK_MESSAGE(!pattern.intact(frame.data(), size), "byte " << i);
      frame[i] ^= 0x10;
    }
  }
}

TEST_CASE("the generator believes nothing of a frame that would lead it outside its table") {
  const Pattern pattern;
  auto frame = stamped(pattern, 64, 250);
  reinterpret_cast<Stamp*>(frame.data())->pattern = patterns;
  CHECK_FALSE(pattern.intact(frame.data(), 64));
  CHECK_FALSE(pattern.intact(frame.data(), least_frame - 1));
  CHECK_FALSE(pattern.intact(frame.data(), most_frame + 1));
}

TEST_CASE("the generator's buffers differ in their payload") {
  const Pattern pattern;
  auto one = stamped(pattern, 64, 1);
  const auto other = stamped(pattern, 64, 2);
  std::copy(other.begin() + sizeof(Stamp), other.end(), one.begin() + sizeof(Stamp));
  CHECK_FALSE(pattern.intact(one.data(), 64));
}

TEST_CASE("a histogram knows every value to 1.6 % and never forgets one") {
  Histogram histogram;
  for (uint64_t value = 1; value < (uint64_t{1} << 36); value = value * 9 / 8 + 1) {
    const uint64_t lowest = Histogram::lowest(Histogram::index_of(value));
    CHECK(lowest <= value);
    CHECK(static_cast<double>(value - lowest) <= static_cast<double>(value) / 64);
    CHECK(Histogram::index_of(lowest) == Histogram::index_of(value));
  }
  histogram.add(UINT64_MAX);
  histogram.add(5);
  CHECK(histogram.count(Histogram::buckets - 1) == 1);
  CHECK(histogram.count(5) == 1);
  histogram.clear();
  CHECK(histogram.count(5) == 0);
}

TEST_CASE("a trial is read from one line") {
  Trial trial;
  std::string problem;
  REQUIRE(parse_trial("open size=128 window=64 burst=32 rate=5e6 warm-up=0 seconds=2 pause=0.1", 2048, trial, problem));
  CHECK(trial.mode == Mode::open);
  CHECK(trial.sizes == std::vector<uint32_t>{128});
  CHECK(trial.window == 64);
  CHECK(trial.burst == 32);
  CHECK(trial.rate == 5e6);
  CHECK(trial.warm_up == 0);
  CHECK(trial.seconds == 2);
  CHECK(trial.pause == 0.1);
}

TEST_CASE("simple IMIX is seven small frames, four middling, one large") {
  Trial trial;
  std::string problem;
  REQUIRE(parse_trial("closed size=imix", 2048, trial, problem));
  const auto of = [&](uint32_t size) { return std::count(trial.sizes.begin(), trial.sizes.end(), size); };
  CHECK(of(64) == 7);
  CHECK(of(570) == 4);
  CHECK(of(1518) == 1);
  CHECK(trial.sizes.size() == 12);
}

TEST_CASE("a trial that cannot be made is refused, and why") {
  CHECK(refusal("closed").empty());
  CHECK(refusal("fast").find("'fast'") != std::string::npos);
  CHECK(refusal("open") == "mode open needs rate=FRAMES");
  CHECK(refusal("closed size=2049").find("slots") != std::string::npos);
  CHECK(refusal("closed size=imix", 1024).find("slots") != std::string::npos);
  for (const char* word : {"size=59", "size=9217", "size=nan", "size=", "size=64x", "window=0", "burst=257", "rate=0",
                           "seconds=61", "pause=-1", "warm-up=11", "colour=red", "size"}) {
    CAPTURE(word);
    CHECK(refusal(std::string("closed ") + word, 9216).find(word) != std::string::npos);
  }
}

TEST_CASE("the generator's options") {
  Options options;
  REQUIRE(understood({"--pair=/a:b.sock:1,/c.sock:2", "--cpu=3", "--ring-log=9", "--buffer-size=256", "--zero-copy"},
                     options));
  REQUIRE(options.pairs.size() == 1);
  CHECK(options.pairs[0].from.socket == "/a:b.sock");
  CHECK(options.pairs[0].from.id == 1);
  CHECK(options.pairs[0].to.socket == "/c.sock");
  CHECK(options.pairs[0].to.id == 2);
  CHECK(options.cpu == 3);
  CHECK(options.ring_log == 9);
  CHECK(options.buffer_size == 256);
  CHECK(options.zero_copy);
  CHECK_FALSE(options.loop);
}

TEST_CASE("options of the generator that cannot be followed are refused") {
  const std::vector<std::vector<std::string>> refused = {
      {},
      {"--pair=/a:1"},
      {"--pair=/a,/b"},
      {"--pair=/a:1,/b:-2"},
      {"--pair=/a:1,/b:65536"},
      {"--loop=/a", "--ring-log=15"},
      {"--loop=/a", "--cpu=x"},
      {"--loop=/a", "--colour=red"},
      std::vector<std::string>(16, "--pair=/a:1,/b:2"),
  };
  for (const auto& arguments : refused) {
    Options options;
    CHECK_FALSE(understood(arguments, options));
  }
}

TEST_CASE("the generator reports in one line of JSON") {
  Outcome outcome;
  outcome.seconds = 0.5;
  outcome.tally = {10, 8, 512, 1, 2, 3};
  outcome.due = 11;
  outcome.backlog = 4;
  Histogram latencies;
  latencies.add(5);
  latencies.add(5);
  latencies.add(1000);
  CHECK(to_json(outcome, latencies) ==
        "{\"seconds\":0.5,\"sent\":10,\"received\":8,\"bytes\":512,\"lost\":1,\"misplaced\":2,\"corrupt\":3,\"due\":11,"
        "\"backlog\":4,\"idle\":0,\"cpu\":0,\"latencies\":[[5,2],[1000,1]]}");
  CHECK(error_json("a \"b\"\\\n") == "{\"error\":\"a \\\"b\\\"\\\\ \"}");
}

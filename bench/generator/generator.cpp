// SPDX-License-Identifier: Apache-2.0
#include "generator.hpp"

#include <rte_cycles.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <thread>

namespace crosswire::bench {
namespace {

constexpr double patience = 0.25;  // seconds without an arrival after which the frames in flight count as lost

double cpu_seconds() {
  timespec used = {};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) * 1e-9;
}

}  // namespace

Generator::Generator(std::vector<Line>& lines, Histogram& latencies)
    : lines_(lines), latencies_(latencies), hertz_(static_cast<double>(rte_get_tsc_hz())) {}

uint64_t Generator::cycles(double seconds) const { return static_cast<uint64_t>(seconds * hertz_); }

Outcome Generator::run(const Trial& trial) {
  const auto phase = [&](double seconds, Outcome* outcome) {
    const uint64_t end = rte_rdtsc() + cycles(seconds);
    if (trial.mode == Mode::closed) closed(trial, end, outcome);
    if (trial.mode == Mode::open) open(trial, end, outcome);
    if (trial.mode == Mode::cold) cold(trial, end);
  };
  if (trial.warm_up > 0) phase(trial.warm_up, nullptr);
  // A closed loop is counted while it runs. In the other modes all frames must have arrived before and after counting.
  if (trial.mode != Mode::closed) settle();

  for (Line& line : lines_) line.count_from_here();
  latencies_.clear();
  Outcome outcome;
  const double cpu_before = cpu_seconds();
  const uint64_t start = rte_rdtsc();
  phase(trial.seconds, &outcome);
  outcome.seconds = static_cast<double>(rte_rdtsc() - start) / hertz_;
  outcome.cpu = cpu_seconds() - cpu_before;
  const uint64_t in_time = [&] {
    uint64_t received = 0;
    for (const Line& line : lines_) received += line.tally.received;
    return received;
  }();
  settle();
  for (const Line& line : lines_) {
    outcome.tally.sent += line.tally.sent;
    outcome.tally.received += line.tally.received;
    outcome.tally.bytes += line.tally.bytes;
    outcome.tally.lost += line.tally.lost;
    outcome.tally.misplaced += line.tally.misplaced;
    outcome.tally.corrupt += line.tally.corrupt;
  }
  // The last frames of a closed loop were checked, but arrived after the counted time.
  if (trial.mode == Mode::closed && outcome.tally.received > 0) {
    outcome.tally.bytes = outcome.tally.bytes / outcome.tally.received * in_time;
    outcome.tally.received = in_time;
  }
  return outcome;
}

uint16_t Generator::receive(Line& line, uint32_t most) {
  const uint16_t count = line.take(static_cast<uint16_t>(most));
  line.check(&latencies_, 1e9 / hertz_);
  return count;
}

void Generator::closed(const Trial& trial, uint64_t end, Outcome* outcome) {
  const auto burst = static_cast<uint16_t>(std::min(trial.burst, trial.window));
  uint64_t now = rte_rdtsc(), heard = now, idle = 0;
  while (now < end) {
    for (Line& line : lines_) {
      // Prefetches the received frames, and sends the next burst while they are being fetched.
      bool moved = line.take(burst) > 0;
      if (moved) heard = now;
      const uint64_t flying = line.in_flight();
      // Sends whole bursts only, so that a fast forwarder does not get single frames.
      if (flying + burst <= trial.window) {
        if (line.send(burst, trial.sizes, now, 0) > 0) moved = true;
        line.fetch(burst);
      }
      line.check(nullptr, 0);
      const uint64_t before = now;
      now = rte_rdtsc();
      if (!moved) idle += now - before;
    }
    if (now - heard < cycles(patience)) continue;
    for (Line& line : lines_) line.give_up();
    heard = now;
  }
  if (outcome != nullptr) outcome->idle = static_cast<double>(idle) / hertz_;
}

void Generator::open(const Trial& trial, uint64_t end, Outcome* outcome) {
  const double step = hertz_ / trial.rate;  // cycles from one frame to the next
  const uint64_t start = rte_rdtsc();
  uint64_t sent = 0, due = 0;
  size_t turn = 0;
  for (uint64_t now = start; now < end; now = rte_rdtsc()) {
    due = static_cast<uint64_t>(static_cast<double>(now - start) / step);
    if (due > sent) {
      // Frames without room in the ring remain due, and their latency grows: waiting to be sent is part of the latency.
      const auto count = static_cast<uint16_t>(std::min<uint64_t>(due - sent, trial.burst));
      const auto time = start + static_cast<uint64_t>(static_cast<double>(sent + 1) * step);
      sent += lines_[turn].send(count, trial.sizes, time, step);
      turn = (turn + 1) % lines_.size();
    }
    for (Line& line : lines_) receive(line, trial.burst);
  }
  if (outcome == nullptr) return;
  outcome->due = due;
  outcome->backlog = due - std::min(due, sent);
}

void Generator::cold(const Trial& trial, uint64_t end) {
  size_t turn = 0;
  while (rte_rdtsc() < end) {
    std::this_thread::sleep_for(std::chrono::duration<double>(trial.pause));
    Line& line = lines_[turn];
    turn = (turn + 1) % lines_.size();
    const uint64_t start = rte_rdtsc();
    if (line.send(1, trial.sizes, start, 0) == 0) continue;
    while (receive(line, 1) == 0 && rte_rdtsc() - start < cycles(patience)) continue;
    if (line.in_flight() > 0) line.give_up();
  }
}

// Receives the frames still in flight until none has arrived for a while.
void Generator::settle() {
  uint64_t now = rte_rdtsc(), heard = now;
  const uint64_t end = now + cycles(1);
  while (now < end && now - heard < cycles(patience)) {
    uint64_t flying = 0;
    for (Line& line : lines_) {
      if (receive(line, most_burst) > 0) heard = now;
      flying += line.in_flight();
    }
    if (flying == 0) return;
    now = rte_rdtsc();
  }
  for (Line& line : lines_) line.give_up();
}

}  // namespace crosswire::bench

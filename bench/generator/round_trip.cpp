// SPDX-License-Identifier: Apache-2.0
// Measures the round trip from core to core: two threads on two CPUs pass a cache line back and forth. Prints the
// median of many batches in nanoseconds. The CPUs of a virtual machine switch between a fast and a slow state, which
// affects all figures.
//   round_trip [FIRST_CPU SECOND_CPU]
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr int batches = 101;
constexpr int trips = 200;
constexpr auto longest = std::chrono::milliseconds(500);

alignas(64) std::atomic<uint32_t> ball{0};  // odd: the second thread's turn; even: the first one's
alignas(64) std::atomic<bool> over{false};

void pin(unsigned cpu) {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  CPU_SET(cpu, &cpus);
  if (pthread_setaffinity_np(pthread_self(), sizeof cpus, &cpus) == 0) return;
  std::fprintf(stderr, "round_trip: there is no CPU %u\n", cpu);
  std::exit(1);
}

void give_back() {
  for (uint32_t turn = 1; !over.load(std::memory_order_relaxed);) {
    if (ball.load(std::memory_order_acquire) != turn) continue;
    ball.store(turn + 1, std::memory_order_release);
    turn += 2;
  }
}

double batch(uint32_t& turn, Clock::time_point deadline) {
  const auto start = Clock::now();
  for (int i = 0; i < trips; i++) {
    ball.store(++turn, std::memory_order_release);
    turn++;
    for (uint32_t spins = 1; ball.load(std::memory_order_acquire) != turn; spins++) {
      // Another process may have the other CPU. The time is checked rarely, because reading it in every spin would be
      // measured too.
      if (spins % 4096 == 0 && Clock::now() > deadline) return -1;
    }
  }
  return std::chrono::duration<double, std::nano>(Clock::now() - start).count() / trips;
}

}  // namespace

int main(int count, char** arguments) {
  const unsigned first = count > 2 ? static_cast<unsigned>(std::atoi(arguments[1])) : 0;
  const unsigned second = count > 2 ? static_cast<unsigned>(std::atoi(arguments[2])) : 1;
  std::thread other([second] {
    pin(second);
    give_back();
  });
  pin(first);
  const auto deadline = Clock::now() + longest;
  std::vector<double> samples;
  uint32_t turn = 0;
  for (int i = 0; i < batches; i++) {
    const double sample = batch(turn, deadline);
    if (sample < 0) break;
    samples.push_back(sample);
  }
  over = true;
  other.join();
  if (samples.size() < 3) {
    std::fprintf(stderr, "round_trip: the CPUs were not to be had in time\n");
    return 1;
  }
  std::nth_element(samples.begin(), samples.begin() + static_cast<long>(samples.size() / 2), samples.end());
  std::printf("{\"nanoseconds\":%.1f}\n", samples[samples.size() / 2]);
}

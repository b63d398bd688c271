// SPDX-License-Identifier: Apache-2.0
// A thread that waits for sockets and deadlines and runs what other threads ask for.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>

#include "core/result.hpp"
#include "os/fd.hpp"

namespace crosswire::os {

class ControlLoop {
 public:
  using Token = uint64_t;  // never used twice; 0 is none

  ControlLoop() = default;
  ControlLoop(const ControlLoop&) = delete;
  ControlLoop& operator=(const ControlLoop&) = delete;
  ~ControlLoop() { stop(); }

  // `name`: of the thread, after "cw-".
  Result<> start(const std::string& name, std::function<void()> on_wake);
  void stop() noexcept;

  // Any thread. run() returns when the task has run on the loop's thread; wake() makes it call on_wake.
  void run(const std::function<void()>& task);
  void wake() noexcept;

  // The loop's thread only. Handlers and timers may remove themselves and each other.
  Token watch(int fd, uint32_t events, std::function<void()> handler);
  void unwatch(int fd, Token token);
  Token after(uint64_t delay_ns, std::function<void()> handler);
  void cancel(Token timer);

 private:
  void loop();
  void run_tasks();
  void run_timers();
  int wait_ms() const;

  std::function<void()> on_wake_;
  Fd epoll_;
  Fd wake_;
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::deque<std::function<void()>> tasks_;
  std::unordered_map<Token, std::shared_ptr<std::function<void()>>> handlers_;
  std::map<Token, uint64_t> deadlines_;
  std::multimap<uint64_t, std::pair<Token, std::shared_ptr<std::function<void()>>>> timers_;
  Token last_token_ = 0;
  std::thread thread_;
};

}  // namespace crosswire::os

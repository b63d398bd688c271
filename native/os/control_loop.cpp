// SPDX-License-Identifier: Apache-2.0
#include "os/control_loop.hpp"

#include <pthread.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <future>

#include "core/clock.hpp"
#include "os/error.hpp"
#include "os/event_fd.hpp"

namespace crosswire::os {

Result<> ControlLoop::start(const std::string& name, std::function<void()> on_wake) {
  epoll_ = Fd(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_) return system_error("EPOLL_FAILED", "create epoll", name + " control thread", errno);
  auto wake = make_event_fd();
  if (!wake) return std::move(wake).error();
  wake_ = std::move(wake).value();
  on_wake_ = std::move(on_wake);
  stopping_.store(false);
  watch(wake_.get(), EPOLLIN, [this] {
    drain_event_fd(wake_.get());
    run_tasks();
    on_wake_();
  });
  try {
    thread_ = std::thread([this] { loop(); });
    pthread_setname_np(thread_.native_handle(), ("cw-" + name).c_str());
  } catch (const std::exception& error) {
    return Error{"THREAD_FAILED", "start control thread", name, error.what(), EAGAIN};
  }
  return Done{};
}

void ControlLoop::stop() noexcept {
  if (!thread_.joinable()) return;
  stopping_.store(true);
  wake();
  thread_.join();
  handlers_.clear();
  timers_.clear();
  deadlines_.clear();
}

void ControlLoop::run(const std::function<void()>& task) {
  std::promise<void> done;
  {
    const std::lock_guard lock(mutex_);
    tasks_.emplace_back([&] {
      task();
      done.set_value();
    });
  }
  wake();
  done.get_future().wait();
}

void ControlLoop::wake() noexcept { signal_event_fd(wake_.get()); }

ControlLoop::Token ControlLoop::watch(int fd, uint32_t events, std::function<void()> handler) {
  const Token token = ++last_token_;
  epoll_event event{};
  event.events = events;
  event.data.u64 = token;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) return 0;
  handlers_.emplace(token, std::make_shared<std::function<void()>>(std::move(handler)));
  return token;
}

void ControlLoop::unwatch(int fd, Token token) {
  if (handlers_.erase(token) > 0) ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

ControlLoop::Token ControlLoop::after(uint64_t delay_ns, std::function<void()> handler) {
  const Token token = ++last_token_;
  const uint64_t deadline = now_ns() + delay_ns;
  deadlines_.emplace(token, deadline);
  timers_.emplace(deadline, std::pair(token, std::make_shared<std::function<void()>>(std::move(handler))));
  return token;
}

void ControlLoop::cancel(Token timer) {
  const auto found = deadlines_.find(timer);
  if (found == deadlines_.end()) return;
  const auto [first, last] = timers_.equal_range(found->second);
  const auto at = std::find_if(first, last, [&](const auto& entry) { return entry.second.first == timer; });
  if (at != last) timers_.erase(at);
  deadlines_.erase(found);
}

void ControlLoop::run_tasks() {
  std::deque<std::function<void()>> tasks;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(tasks_);
  }
  for (const auto& task : tasks) task();
}

void ControlLoop::run_timers() {
  const uint64_t now = now_ns();
  while (!timers_.empty() && timers_.begin()->first <= now) {
    const auto [token, handler] = timers_.begin()->second;
    timers_.erase(timers_.begin());
    deadlines_.erase(token);
    (*handler)();
  }
}

// Rounded up: a timer that fires slightly late is better than a loop that spins until it is due.
int ControlLoop::wait_ms() const {
  if (timers_.empty()) return -1;
  const uint64_t now = now_ns();
  const uint64_t due = timers_.begin()->first;
  return due <= now ? 0 : static_cast<int>(std::min<uint64_t>((due - now + 999'999) / 1'000'000, 60'000));
}

void ControlLoop::loop() {
  std::array<epoll_event, 64> events;
  while (!stopping_.load()) {
    const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), wait_ms());
    for (int i = 0; i < count; i++) {
      // Copied: epoll_event is packed, so its member may not be aligned.
      const uint64_t token = events[static_cast<size_t>(i)].data.u64;
      // Looked up each time: an earlier handler of this round may have removed it.
      const auto found = handlers_.find(token);
      if (found == handlers_.end()) continue;
      const auto handler = found->second;
      (*handler)();
    }
    run_timers();
  }
  run_tasks();
}

}  // namespace crosswire::os

// SPDX-License-Identifier: Apache-2.0
// Control threads post a task, wake the worker, and wait until it has run the task between two bursts, when no memory
// is lent. A worker takes the lock only if something was posted.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>

#include "core/result.hpp"

namespace crosswire {

class Mailbox {
 public:
  Mailbox() = default;
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;
  ~Mailbox();

  Result<> open();                          // before the worker starts: tasks wait for serve() from now on
  void shut();                              // by the worker, last: serves what is left; tasks run in place from now on
  int wake_fd() const { return wake_fd_; }  // readable after a post, until drain()

  // Any thread except the worker's: returns when the task has run.
  void call(const std::function<void()>& task);

  bool waiting() const noexcept { return waiting_.load(std::memory_order_acquire); }
  void drain() noexcept;
  void serve();

 private:
  struct Post {
    const std::function<void()>* task;
    bool done = false;
  };

  void serve(std::unique_lock<std::mutex>& lock);

  std::mutex mutex_;
  std::condition_variable served_;
  std::deque<Post*> posts_;  // each lives on the stack of its waiting caller
  std::atomic<bool> waiting_{false};
  bool open_ = false;
  int wake_fd_ = -1;
};

}  // namespace crosswire

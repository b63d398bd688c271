// SPDX-License-Identifier: Apache-2.0
#include "engine/mailbox.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

namespace crosswire {

Mailbox::~Mailbox() {
  if (wake_fd_ >= 0) ::close(wake_fd_);
}

Result<> Mailbox::open() {
  const std::lock_guard lock(mutex_);
  if (wake_fd_ < 0) wake_fd_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_fd_ < 0) {
    const int error = errno;
    return Error{"ENGINE_START_FAILED", "create the worker's eventfd", "", std::strerror(error), error};
  }
  open_ = true;
  return Done{};
}

void Mailbox::shut() {
  std::unique_lock lock(mutex_);
  serve(lock);
  open_ = false;
}

void Mailbox::call(const std::function<void()>& task) {
  std::unique_lock lock(mutex_);
  if (!open_) {
    task();  // no worker: the lock keeps the callers apart
    return;
  }
  Post post{&task};
  posts_.push_back(&post);
  waiting_.store(true, std::memory_order_release);
  const uint64_t one = 1;
  // Fails only with EAGAIN, at 2^64 - 2 unread wake-ups (eventfd(2)); then the fd is readable anyway.
  [[maybe_unused]] const ssize_t written = ::write(wake_fd_, &one, sizeof one);
  served_.wait(lock, [&] { return post.done; });
}

void Mailbox::drain() noexcept {
  uint64_t count;
  [[maybe_unused]] const ssize_t got = ::read(wake_fd_, &count, sizeof count);
}

void Mailbox::serve() {
  if (!waiting()) return;
  std::unique_lock lock(mutex_);
  serve(lock);
}

void Mailbox::serve(std::unique_lock<std::mutex>&) {
  for (Post* post : posts_) {
    (*post->task)();
    post->done = true;
  }
  posts_.clear();
  waiting_.store(false, std::memory_order_relaxed);
  served_.notify_all();
}

}  // namespace crosswire

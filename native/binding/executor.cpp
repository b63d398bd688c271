// SPDX-License-Identifier: Apache-2.0
#include "binding/executor.hpp"

#include <pthread.h>

namespace crosswire::binding {

namespace {
// Netlink takes the kernel's rtnl lock, so more threads would only wait for each other.
constexpr size_t thread_count = 4;
}  // namespace

Executor::Executor(Napi::Env env) : completion_(Completion::New(env, "crosswire", 0, 1, this)) {
  completion_.Unref(env);  // an idle executor never keeps the process alive
}

Napi::Promise Executor::submit(Napi::Env env, std::unique_ptr<Job> job) {
  auto promise = job->promise();
  if (threads_.empty()) start_threads();
  if (pending_++ == 0) completion_.Ref(env);
  {
    std::lock_guard lock(mutex_);
    queue_.push_back(std::move(job));
  }
  changed_.notify_one();
  return promise;
}

void Executor::start_threads() {
  for (size_t i = 0; i < thread_count; ++i) {
    threads_.emplace_back([this] { work_until_stopped(); });
    pthread_setname_np(threads_.back().native_handle(), "cw-control");
  }
}

void Executor::work_until_stopped() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (stopping_) return;
    auto job = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    job->run();
    // The queue behind it is unbounded, so this never blocks; it refuses only when the environment is dying.
    if (completion_.NonBlockingCall(job.get()) == napi_ok) job.release();
    lock.lock();
  }
}

void Executor::settle(Napi::Env env, Napi::Function, Executor* self, Job* raw) {
  std::unique_ptr<Job> job(raw);
  if (env == nullptr) return;  // the environment is going down: nobody is left to tell
  if (--self->pending_ == 0) self->completion_.Unref(env);
  try {
    job->settle(env);
  } catch (const Napi::Error&) {
    // A Worker that is being terminated runs no JavaScript any more, though its environment is still there.
  }
}

void Executor::stop() {
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return;
    stopping_ = true;
  }
  changed_.notify_all();
  for (auto& thread : threads_) thread.join();
  threads_.clear();
  queue_.clear();
  completion_.Abort();
}

}  // namespace crosswire::binding

// SPDX-License-Identifier: Apache-2.0
#include "binding/executor.hpp"

#include <pthread.h>

namespace crosswire::binding {

namespace {
constexpr size_t working_threads = 4;
constexpr size_t waiting_threads = 32;
}  // namespace

Executor::Executor(Napi::Env env)
    : completion_(Completion::New(env, "crosswire", 0, 1, this)), crews_{Crew(working_threads), Crew(waiting_threads)} {
  completion_.Unref(env);  // an idle executor never keeps the process alive
}

Napi::Promise Executor::submit(Napi::Env env, std::unique_ptr<Job> job, Lane lane) {
  auto promise = job->promise();
  auto& crew = crews_[static_cast<size_t>(lane)];
  if (pending_++ == 0) completion_.Ref(env);
  bool short_of_hands = false;
  {
    std::lock_guard lock(mutex_);
    crew.queue.push_back(std::move(job));
    short_of_hands = crew.queue.size() > crew.idle;
  }
  if (short_of_hands && crew.threads.size() < crew.most_threads) start_thread(crew);
  crew.changed.notify_one();
  return promise;
}

void Executor::start_thread(Crew& crew) {
  crew.threads.emplace_back([this, &crew] { work_until_stopped(crew); });
  pthread_setname_np(crew.threads.back().native_handle(), "cw-control");
}

void Executor::work_until_stopped(Crew& crew) {
  std::unique_lock lock(mutex_);
  while (true) {
    ++crew.idle;
    crew.changed.wait(lock, [&] { return stopping_ || !crew.queue.empty(); });
    --crew.idle;
    if (stopping_) return;
    auto job = std::move(crew.queue.front());
    crew.queue.pop_front();
    lock.unlock();
    job->run();
    // Its queue is unbounded, so this never blocks; it fails only when the environment ends.
    if (completion_.NonBlockingCall(job.get()) == napi_ok) job.release();
    lock.lock();
  }
}

void Executor::settle(Napi::Env env, Napi::Function, Executor* self, Job* raw) {
  std::unique_ptr<Job> job(raw);
  if (env == nullptr) return;  // the environment is ending: there is nobody to notify
  if (--self->pending_ == 0) self->completion_.Unref(env);
  try {
    job->settle(env);
  } catch (const Napi::Error&) {
    // A Worker that is being terminated runs no JavaScript any more, though its environment still exists.
  }
}

void Executor::stop() {
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return;
    stopping_ = true;
  }
  for (auto& crew : crews_) crew.changed.notify_all();
  for (auto& crew : crews_) {
    for (auto& thread : crew.threads) thread.join();
    crew.threads.clear();
    crew.queue.clear();
  }
  completion_.Abort();
}

}  // namespace crosswire::binding

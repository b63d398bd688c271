// SPDX-License-Identifier: Apache-2.0
// Runs blocking work on the addon's own threads and settles promises with the outcome. These threads enter network
// namespaces, which Node's threads (the main one, libuv's pool) must never do.
#pragma once

#include <napi.h>

#include <array>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "binding/errors.hpp"
#include "core/result.hpp"

namespace crosswire::binding {

// One call from JavaScript: run() on an addon thread, then settle() on the JavaScript thread.
class Job {
 public:
  explicit Job(Napi::Env env) : deferred_(Napi::Promise::Deferred::New(env)) {}
  virtual ~Job() = default;
  virtual void run() = 0;
  virtual void settle(Napi::Env env) = 0;
  Napi::Promise promise() const { return deferred_.Promise(); }

 protected:
  Napi::Promise::Deferred deferred_;
};

// The kind of threads on which a job runs.
enum class Lane : uint8_t {
  working,  // few: jobs use the CPU or wait for the kernel's rtnl lock, so more threads would only wait for each other
  waiting,  // many: jobs sleep in the kernel without that lock, at the same time
};

class Executor {
 public:
  explicit Executor(Napi::Env env);
  ~Executor() { stop(); }
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  // The promise of `work`'s Result: resolved with convert(env, value), or rejected with make_error(). `work` runs on an
  // addon thread and `convert` on the JavaScript thread; neither may hold Napi values. Jobs run in no fixed order: a
  // caller that needs an order waits for promises. JavaScript thread only.
  template <class T, class Work, class Convert>
  Napi::Promise run(Napi::Env env, Work work, Convert convert, Lane lane = Lane::working);
  // The same for Result<Done>: resolves with undefined.
  template <class Work>
  Napi::Promise run(Napi::Env env, Work work) {
    return run<Done>(env, std::move(work), [](Napi::Env e, Done&) { return e.Undefined(); });
  }

  // Waits for running jobs, drops queued ones (their promises stay pending, since the environment is ending), and joins
  // the threads. JavaScript thread only; may be called twice.
  void stop();

 private:
  static void settle(Napi::Env env, Napi::Function, Executor* self, Job* job);
  using Completion = Napi::TypedThreadSafeFunction<Executor, Job, &Executor::settle>;

  struct Crew {
    explicit Crew(size_t most) : most_threads(most) {}
    const size_t most_threads;
    std::condition_variable changed{};
    std::deque<std::unique_ptr<Job>> queue{};  // guarded by mutex_
    size_t idle = 0;                           // guarded by mutex_
    std::vector<std::thread> threads{};        // JavaScript thread only
  };

  Napi::Promise submit(Napi::Env env, std::unique_ptr<Job> job, Lane lane);
  void start_thread(Crew& crew);
  void work_until_stopped(Crew& crew);

  Completion completion_;
  size_t pending_ = 0;  // JavaScript thread only: promises not settled yet; the process stays alive for them

  std::mutex mutex_;
  bool stopping_ = false;      // guarded by mutex_
  std::array<Crew, 2> crews_;  // by Lane
};

template <class T, class Work, class Convert>
class TypedJob final : public Job {
 public:
  TypedJob(Napi::Env env, Work work, Convert convert)
      : Job(env), work_(std::move(work)), convert_(std::move(convert)) {}
  void run() override {
    try {
      outcome_ = std::make_unique<Result<T>>(work_());
    } catch (const std::exception& thrown) {  // std::bad_alloc: no other exception leaves a room
      outcome_ = std::make_unique<Result<T>>(Error{"OUT_OF_MEMORY", "run a job", "addon thread", thrown.what(), 0});
    }
  }
  void settle(Napi::Env env) override {
    try {
      if (outcome_->ok()) {
        deferred_.Resolve(convert_(env, outcome_->value()));
      } else {
        deferred_.Reject(make_error(env, outcome_->error()));
      }
    } catch (const Napi::Error& thrown) {
      deferred_.Reject(thrown.Value());
    }
  }

 private:
  Work work_;
  Convert convert_;
  std::unique_ptr<Result<T>> outcome_;
};

template <class T, class Work, class Convert>
Napi::Promise Executor::run(Napi::Env env, Work work, Convert convert, Lane lane) {
  return submit(env, std::make_unique<TypedJob<T, Work, Convert>>(env, std::move(work), std::move(convert)), lane);
}

}  // namespace crosswire::binding

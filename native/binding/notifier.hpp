// SPDX-License-Identifier: Apache-2.0
// Delivers events from the addon's own threads to the JavaScript thread, in order.
#pragma once

#include <napi.h>

#include <memory>

namespace crosswire::binding {

// An event. deliver() runs on the JavaScript thread; an event that is not delivered is destroyed on any thread.
class Notice {
 public:
  virtual ~Notice() = default;
  virtual void deliver(Napi::Env env) = 0;
};

class Notifier {
 public:
  explicit Notifier(Napi::Env env);
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  // Any thread, before stop(). Never blocks.
  void post(std::unique_ptr<Notice> notice);

  // To be called after the threads that post have ended. JavaScript thread only.
  void stop() { function_.Abort(); }

 private:
  static void deliver(Napi::Env env, Napi::Function, Notifier*, Notice* notice);
  using Function = Napi::TypedThreadSafeFunction<Notifier, Notice, &Notifier::deliver>;

  Function function_;
};

}  // namespace crosswire::binding

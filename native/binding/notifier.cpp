// SPDX-License-Identifier: Apache-2.0
#include "binding/notifier.hpp"

namespace crosswire::binding {

Notifier::Notifier(Napi::Env env) : function_(Function::New(env, "crosswire notices", 0, 1, this)) {
  function_.Unref(env);  // events never keep the process alive
}

void Notifier::post(std::unique_ptr<Notice> notice) {
  if (function_.NonBlockingCall(notice.get()) == napi_ok) notice.release();
}

void Notifier::deliver(Napi::Env env, Napi::Function, Notifier*, Notice* raw) {
  const std::unique_ptr<Notice> notice(raw);
  if (env == nullptr) return;  // the environment is ending: there is nobody to notify
  try {
    notice->deliver(env);
  } catch (const Napi::Error&) {
    // A Worker that is being terminated runs no JavaScript any more, though its environment still exists.
  }
}

}  // namespace crosswire::binding

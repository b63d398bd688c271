// SPDX-License-Identifier: Apache-2.0
#include "binding/errors.hpp"

#include "binding/addon_data.hpp"

namespace crosswire::binding {

namespace {

Napi::Object fields_of(Napi::Env env, const Error& error) {
  auto fields = Napi::Object::New(env);
  fields.Set("code", error.code);
  fields.Set("operation", error.operation);
  fields.Set("subject", error.subject);
  fields.Set("reason", error.reason);
  if (error.errno_value != 0) fields.Set("errno", error.errno_value);
  return fields;
}

void set_error_class(const Napi::CallbackInfo& info) {
  auto env = info.Env();
  if (!info[0].IsFunction()) {
    throw_invalid_argument(env, "set the error class", "first argument", "must be a constructor");
  }
  env.GetInstanceData<AddonData>()->error_class = Napi::Persistent(info[0].As<Napi::Function>());
}

}  // namespace

Napi::Object make_error(Napi::Env env, const Error& error) {
  auto fields = fields_of(env, error);
  const auto& error_class = env.GetInstanceData<AddonData>()->error_class;
  if (!error_class.IsEmpty()) return error_class.New({fields});
  auto plain = Napi::Error::New(env, error.operation + " (" + error.subject + "): " + error.reason).Value();
  env.Global().Get("Object").As<Napi::Object>().Get("assign").As<Napi::Function>().Call({plain, fields});
  return plain;
}

void throw_error(Napi::Env env, const Error& error) { throw Napi::Error(env, make_error(env, error)); }

void throw_invalid_argument(Napi::Env env, const char* operation, const std::string& subject,
                            const std::string& reason) {
  throw_error(env, Error{"INVALID_ARGUMENT", operation, subject, reason, 0});
}

void register_errors(Napi::Env env, Napi::Object exports) {
  exports.Set("setErrorClass", Napi::Function::New(env, set_error_class, "setErrorClass"));
}

}  // namespace crosswire::binding

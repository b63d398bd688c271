// SPDX-License-Identifier: Apache-2.0
// Native errors as instances of the one error class, which TypeScript defines and passes at load.
#pragma once

#include <napi.h>

#include "core/result.hpp"

namespace crosswire::binding {

// new ErrorClass({ code, operation, subject, reason, errno }); before the class is known, a plain Error with the same
// fields. `errno` is absent if no system call failed.
Napi::Object make_error(Napi::Env env, const Error& error);

// Throws make_error() as a C++ exception, which node-addon-api turns into a JavaScript one at the boundary.
[[noreturn]] void throw_error(Napi::Env env, const Error& error);

// For values that JavaScript passed: code INVALID_ARGUMENT.
[[noreturn]] void throw_invalid_argument(Napi::Env env, const char* operation, const std::string& subject,
                                         const std::string& reason);

// Exports setErrorClass(constructor).
void register_errors(Napi::Env env, Napi::Object exports);

}  // namespace crosswire::binding

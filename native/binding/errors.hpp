// SPDX-License-Identifier: Apache-2.0
// Native errors as instances of the one error class, which is made in TypeScript and handed over at load.
#pragma once

#include <napi.h>

#include "core/result.hpp"

namespace crosswire::binding {

// new ErrorClass({ code, operation, subject, reason, errno }); a plain Error with the same fields until the class is
// there. `errno` is absent where no system call failed.
Napi::Object make_error(Napi::Env env, const Error& error);

// Throws make_error() as a C++ exception, which node-addon-api turns into a JavaScript one at the boundary.
[[noreturn]] void throw_error(Napi::Env env, const Error& error);

// For values that JavaScript handed in: code INVALID_ARGUMENT.
[[noreturn]] void throw_invalid_argument(Napi::Env env, const char* operation, const std::string& subject,
                                         const std::string& reason);

// Exports setErrorClass(constructor).
void register_errors(Napi::Env env, Napi::Object exports);

}  // namespace crosswire::binding

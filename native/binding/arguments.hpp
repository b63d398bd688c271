// SPDX-License-Identifier: Apache-2.0
// Reads typed fields of the plain objects that TypeScript passes. TypeScript has validated them already; these checks
// only prevent a programming error from causing a wrong system call. Each throws INVALID_ARGUMENT with the path of the
// field.
#pragma once

#include <napi.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace crosswire::binding {

class Fields {
 public:
  // The index-th argument of a call, which must be an object. `operation` is for errors.
  static Fields of_argument(const Napi::CallbackInfo& info, size_t index, const char* operation);
  // The index-th argument as an array of objects.
  static std::vector<Fields> list_of_argument(const Napi::CallbackInfo& info, size_t index, const char* operation);

  bool has(const char* name) const;  // there, and neither undefined nor null
  std::string string(const char* name) const;
  std::optional<std::string> optional_string(const char* name) const;
  bool boolean(const char* name, bool fallback) const;
  uint32_t integer(const char* name, uint32_t minimum, uint32_t maximum) const;
  std::optional<uint32_t> optional_integer(const char* name, uint32_t minimum, uint32_t maximum) const;
  Fields object(const char* name) const;
  std::vector<Fields> objects(const char* name) const;                       // an absent array is an empty one
  std::vector<std::string> strings(const char* name) const;                  // likewise
  std::vector<uint32_t> integers(const char* name, uint32_t maximum) const;  // likewise, from 0

  // For the caller's own checks of the field `name`.
  [[noreturn]] void refuse(const char* name, const std::string& reason) const;
  const char* operation() const noexcept { return operation_; }

 private:
  Fields(Napi::Value value, std::string path, const char* operation);
  Napi::Value get(const char* name) const;
  std::string path_of(const char* name) const;

  Napi::Object object_;
  std::string path_;  // "client.routes[2]"; empty for an argument itself
  const char* operation_;
};

// The index-th argument of a call, which must be a string without NUL.
std::string string_argument(const Napi::CallbackInfo& info, size_t index, const char* operation);

}  // namespace crosswire::binding

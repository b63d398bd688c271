// SPDX-License-Identifier: Apache-2.0
#include "binding/arguments.hpp"

#include <cmath>

#include "binding/errors.hpp"

namespace crosswire::binding {

namespace {

std::optional<uint32_t> integer_of(const Napi::Value& value, uint32_t minimum, uint32_t maximum) {
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : std::nan("");
  if (!(number == std::floor(number) && number >= minimum && number <= maximum)) return std::nullopt;
  return static_cast<uint32_t>(number);
}

bool is_absent(const Napi::Value& value) { return value.IsUndefined() || value.IsNull(); }

// A string for the kernel must not contain NUL, because the kernel would ignore what follows.
std::optional<std::string> text_of(const Napi::Value& value) {
  if (!value.IsString()) return std::nullopt;
  auto text = value.As<Napi::String>().Utf8Value();
  if (text.find('\0') != std::string::npos) return std::nullopt;
  return text;
}

constexpr const char* not_a_string = "must be a string without NUL characters";

}  // namespace

Fields::Fields(Napi::Value value, std::string path, const char* operation)
    : path_(std::move(path)), operation_(operation) {
  if (!value.IsObject()) {
    throw_invalid_argument(value.Env(), operation, path_.empty() ? "argument" : path_, "must be an object");
  }
  object_ = value.As<Napi::Object>();
}

Fields Fields::of_argument(const Napi::CallbackInfo& info, size_t index, const char* operation) {
  return Fields(info[index], "", operation);
}

std::vector<Fields> Fields::list_of_argument(const Napi::CallbackInfo& info, size_t index, const char* operation) {
  if (!info[index].IsArray()) throw_invalid_argument(info.Env(), operation, "argument", "must be an array");
  auto items = info[index].As<Napi::Array>();
  std::vector<Fields> result;
  for (uint32_t i = 0; i < items.Length(); ++i) {
    result.push_back(Fields(items.Get(i), "[" + std::to_string(i) + "]", operation));
  }
  return result;
}

bool Fields::has(const char* name) const { return !is_absent(get(name)); }

std::string Fields::string(const char* name) const {
  auto text = text_of(get(name));
  if (!text) refuse(name, not_a_string);
  return *text;
}

std::optional<std::string> Fields::optional_string(const char* name) const {
  return has(name) ? std::optional(string(name)) : std::nullopt;
}

bool Fields::boolean(const char* name, bool fallback) const {
  auto value = get(name);
  if (is_absent(value)) return fallback;
  if (!value.IsBoolean()) refuse(name, "must be a boolean");
  return value.As<Napi::Boolean>().Value();
}

uint32_t Fields::integer(const char* name, uint32_t minimum, uint32_t maximum) const {
  const auto number = integer_of(get(name), minimum, maximum);
  if (!number) refuse(name, "must be an integer from " + std::to_string(minimum) + " to " + std::to_string(maximum));
  return *number;
}

std::optional<uint32_t> Fields::optional_integer(const char* name, uint32_t minimum, uint32_t maximum) const {
  return has(name) ? std::optional(integer(name, minimum, maximum)) : std::nullopt;
}

Fields Fields::object(const char* name) const { return Fields(get(name), path_of(name), operation_); }

std::vector<Fields> Fields::objects(const char* name) const {
  std::vector<Fields> result;
  if (!has(name)) return result;
  if (!get(name).IsArray()) refuse(name, "must be an array");
  auto items = get(name).As<Napi::Array>();
  for (uint32_t i = 0; i < items.Length(); ++i) {
    result.push_back(Fields(items.Get(i), path_of(name) + "[" + std::to_string(i) + "]", operation_));
  }
  return result;
}

std::vector<std::string> Fields::strings(const char* name) const {
  std::vector<std::string> result;
  if (!has(name)) return result;
  if (!get(name).IsArray()) refuse(name, "must be an array");
  auto items = get(name).As<Napi::Array>();
  for (uint32_t i = 0; i < items.Length(); ++i) {
    auto text = text_of(items.Get(i));
    if (!text) refuse(name, std::string("each item ") + not_a_string);
    result.push_back(*text);
  }
  return result;
}

std::vector<uint32_t> Fields::integers(const char* name, uint32_t maximum) const {
  std::vector<uint32_t> result;
  if (!has(name)) return result;
  if (!get(name).IsArray()) refuse(name, "must be an array");
  auto items = get(name).As<Napi::Array>();
  for (uint32_t i = 0; i < items.Length(); ++i) {
    const auto number = integer_of(items.Get(i), 0, maximum);
    if (!number) refuse(name, "each item must be an integer from 0 to " + std::to_string(maximum));
    result.push_back(*number);
  }
  return result;
}

void Fields::refuse(const char* name, const std::string& reason) const {
  throw_invalid_argument(object_.Env(), operation_, path_of(name), reason);
}

Napi::Value Fields::get(const char* name) const { return object_.Get(name); }

std::string Fields::path_of(const char* name) const { return path_.empty() ? name : path_ + "." + name; }

std::string string_argument(const Napi::CallbackInfo& info, size_t index, const char* operation) {
  auto text = text_of(info[index]);
  if (!text) throw_invalid_argument(info.Env(), operation, "argument " + std::to_string(index + 1), not_a_string);
  return *text;
}

}  // namespace crosswire::binding

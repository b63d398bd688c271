// SPDX-License-Identifier: Apache-2.0
// A value or an Error. Rooms report failures to each other with this; exceptions stay inside a room.
#pragma once

#include <string>
#include <utility>
#include <variant>

namespace crosswire {

// What was tried, on what, why it failed. `code` is stable and documented (docs/errors.md); the supervisor adds
// what the reader can do about it.
struct Error {
  std::string code;       // e.g. "NAMESPACE_MISSING"
  std::string operation;  // in words: "create veth pair"
  std::string subject;    // on what: "nsm-1 in /run/netns/web"
  std::string reason;     // why, with the kernel's own text where it gave one
  int errno_value = 0;    // 0 where no system call failed
};

struct Done {};

template <class T = Done>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }

  // value() requires ok(), error() requires !ok().
  T& value() & noexcept { return *std::get_if<0>(&state_); }
  const T& value() const& noexcept { return *std::get_if<0>(&state_); }
  T&& value() && noexcept { return std::move(*std::get_if<0>(&state_)); }
  Error& error() & noexcept { return *std::get_if<1>(&state_); }
  const Error& error() const& noexcept { return *std::get_if<1>(&state_); }
  Error&& error() && noexcept { return std::move(*std::get_if<1>(&state_)); }

 private:
  std::variant<T, Error> state_;
};

}  // namespace crosswire

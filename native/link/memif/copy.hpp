// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstring>

namespace crosswire::memif {

using Vector = uint8_t __attribute__((vector_size(16)));

inline Vector load_vector(const uint8_t* from) {
  Vector value;
  std::memcpy(&value, from, sizeof value);
  return value;
}
inline void store_vector(uint8_t* to, Vector value) { std::memcpy(to, &value, sizeof value); }

// memmove(3) without a call for the lengths of small frames: if the length is not a multiple, the last vectors overlap
// the first. A peer can make source and target the same memory (memif contract §7.2), so everything is loaded before
// anything is stored; glibc's memcpy on x86-64 is its memmove anyway.
inline void copy_bytes(uint8_t* to, const uint8_t* from, uint32_t length) {
  if (length < 32 || length > 128) {
    std::memmove(to, from, length);
    return;
  }
  const Vector a = load_vector(from), b = load_vector(from + 16);
  const Vector y = load_vector(from + length - 32), z = load_vector(from + length - 16);
  if (length > 64) {
    const Vector c = load_vector(from + 32), d = load_vector(from + 48);
    const Vector w = load_vector(from + length - 64), x = load_vector(from + length - 48);
    store_vector(to + 32, c);
    store_vector(to + 48, d);
    store_vector(to + length - 64, w);
    store_vector(to + length - 48, x);
  }
  store_vector(to, a);
  store_vector(to + 16, b);
  store_vector(to + length - 32, y);
  store_vector(to + length - 16, z);
}

}  // namespace crosswire::memif

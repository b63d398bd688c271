// SPDX-License-Identifier: Apache-2.0
#include "pattern.hpp"

#include <cstring>

namespace crosswire::bench {

Pattern::Pattern() {
  uint64_t state = 0x9e3779b97f4a7c15;  // xorshift64: pseudo-random bytes without a short period
  for (uint8_t& byte : table_) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    byte = static_cast<uint8_t>(state >> 32);
  }
}

void Pattern::fill(uint8_t* frame, uint32_t size, uint32_t number) const {
  Stamp stamp = {{2, 0, 0, 0, 0, 2}, {2, 0, 0, 0, 0, 1}, 0xb588, 0, 0, 0, 0, 0};
  stamp.pattern = static_cast<uint16_t>(number % patterns);
  std::memcpy(frame, &stamp, sizeof stamp);
  std::memcpy(frame + sizeof stamp, table_.data() + stamp.pattern, size - sizeof stamp);
}

}  // namespace crosswire::bench

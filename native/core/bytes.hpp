// SPDX-License-Identifier: Apache-2.0
// Numbers inside packets: unaligned, in a stated byte order.
#pragma once

#include <cstdint>

namespace crosswire {

inline uint16_t load_be16(const uint8_t* at) { return static_cast<uint16_t>(at[0] << 8 | at[1]); }
inline uint32_t load_be32(const uint8_t* at) { return uint32_t{load_be16(at)} << 16 | load_be16(at + 2); }
inline uint16_t load_le16(const uint8_t* at) { return static_cast<uint16_t>(at[1] << 8 | at[0]); }

inline void store_be16(uint8_t* at, uint16_t value) {
  at[0] = static_cast<uint8_t>(value >> 8);
  at[1] = static_cast<uint8_t>(value);
}
inline void store_be32(uint8_t* at, uint32_t value) {
  store_be16(at, static_cast<uint16_t>(value >> 16));
  store_be16(at + 2, static_cast<uint16_t>(value));
}
inline void store_le16(uint8_t* at, uint16_t value) {
  at[0] = static_cast<uint8_t>(value);
  at[1] = static_cast<uint8_t>(value >> 8);
}

}  // namespace crosswire

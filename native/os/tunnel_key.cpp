// SPDX-License-Identifier: Apache-2.0
#include "os/tunnel_key.hpp"

#include <algorithm>
#include <string_view>

namespace crosswire::os {

namespace {

// RFC 4648, section 4. 32 bytes are ten groups of four letters and one of three with a '='.
constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr size_t text_size = 44, unused_bits = 2;

}  // namespace

std::optional<TunnelKey> parse_tunnel_key(const std::string& text) {
  if (text.size() != text_size || text.back() != '=') return std::nullopt;
  TunnelKey key{};
  uint32_t bits = 0, held = 0;
  size_t filled = 0;
  for (size_t at = 0; at + 1 < text_size; ++at) {
    const auto value = letters.find(text[at]);
    if (value == std::string_view::npos) return std::nullopt;
    bits = bits << 6 | static_cast<uint32_t>(value);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    key[filled++] = static_cast<uint8_t>(bits >> held);
  }
  const bool spare_is_zero = (bits & ((1U << unused_bits) - 1)) == 0;
  return filled == key.size() && spare_is_zero ? std::optional(key) : std::nullopt;
}

std::string to_text(const TunnelKey& key) {
  std::string text;
  for (size_t at = 0; at < key.size(); at += 3) {
    uint32_t bits = 0;
    for (size_t byte = at; byte < at + 3; ++byte) bits = bits << 8 | (byte < key.size() ? key[byte] : 0);
    for (const int shift : {18, 12, 6, 0}) text += letters[bits >> shift & 63];
  }
  text.back() = '=';
  return text;
}

}  // namespace crosswire::os

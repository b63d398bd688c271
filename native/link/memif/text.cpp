// SPDX-License-Identifier: Apache-2.0
#include "link/memif/text.hpp"

namespace crosswire::memif {

std::string clean_text(std::span<const char> field) {
  std::string text;
  for (const char c : field) {
    if (c == '\0') break;
    text.push_back(c >= ' ' && c <= '~' ? c : '?');
  }
  return text;
}

bool same_secret(const char (&offered)[secret_size], std::string_view wanted) {
  char padded[secret_size];
  set_text(padded, wanted);
  // Bytes after the NUL are undefined (§3): cleared before the comparison, without a branch on any byte.
  uint8_t difference = 0;
  uint8_t keep = 0xff;
  for (size_t i = 0; i < secret_size; i++) {
    const auto byte = static_cast<uint8_t>(offered[i]);
    keep = static_cast<uint8_t>(keep & -static_cast<int>(byte != 0));
    difference = static_cast<uint8_t>(difference | ((byte & keep) ^ static_cast<uint8_t>(padded[i])));
  }
  return difference == 0;
}

}  // namespace crosswire::memif

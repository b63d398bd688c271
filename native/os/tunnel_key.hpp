// SPDX-License-Identifier: Apache-2.0
// A Curve25519 key, private or public, as text in base64 (wg(8)).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace crosswire::os {

using TunnelKey = std::array<uint8_t, 32>;

// Empty unless the text is the base64 of exactly 32 bytes.
std::optional<TunnelKey> parse_tunnel_key(const std::string& text);
std::string to_text(const TunnelKey& key);

}  // namespace crosswire::os

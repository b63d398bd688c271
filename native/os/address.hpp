// SPDX-License-Identifier: Apache-2.0
// IP and MAC addresses between text and the bytes netlink carries.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace crosswire::os {

struct IpAddress {
  uint8_t family = 0;  // AF_INET or AF_INET6
  std::array<uint8_t, 16> bytes{};
  size_t size() const noexcept;  // 4 or 16
  bool operator==(const IpAddress&) const = default;
};

struct IpPrefix {
  IpAddress address;
  uint8_t length = 0;  // bits
  bool operator==(const IpPrefix&) const = default;
};

using MacAddress = std::array<uint8_t, 6>;

// Empty if the text is none.
std::optional<IpAddress> parse_ip_address(const std::string& text);
std::optional<IpPrefix> parse_ip_prefix(const std::string& text);  // without "/length": all bits
std::optional<MacAddress> parse_mac_address(const std::string& text);

std::string to_text(const IpAddress& address);
std::string to_text(const IpPrefix& prefix);
std::string to_text(const MacAddress& mac);

// The prefix with its host bits cleared, as the kernel keeps the destination of a route.
IpPrefix network_of(const IpPrefix& prefix);
bool is_link_local(const IpAddress& address);  // fe80::/10

}  // namespace crosswire::os

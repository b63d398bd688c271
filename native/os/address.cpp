// SPDX-License-Identifier: Apache-2.0
#include "os/address.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <charconv>
#include <cstdio>

namespace crosswire::os {

size_t IpAddress::size() const noexcept { return family == AF_INET ? 4 : 16; }

std::optional<IpAddress> parse_ip_address(const std::string& text) {
  IpAddress address;
  address.family = text.find(':') == std::string::npos ? AF_INET : AF_INET6;
  if (::inet_pton(address.family, text.c_str(), address.bytes.data()) != 1) return std::nullopt;
  return address;
}

std::optional<IpPrefix> parse_ip_prefix(const std::string& text) {
  const auto slash = text.find('/');
  auto address = parse_ip_address(text.substr(0, slash));
  if (!address) return std::nullopt;
  const auto bits = static_cast<uint8_t>(address->size() * 8);
  if (slash == std::string::npos) return IpPrefix{*address, bits};
  uint8_t length = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, failure] = std::from_chars(text.data() + slash + 1, end, length);
  if (failure != std::errc() || stopped != end || length > bits) return std::nullopt;
  return IpPrefix{*address, length};
}

std::optional<MacAddress> parse_mac_address(const std::string& text) {
  MacAddress mac{};
  if (text.size() != 17) return std::nullopt;
  for (size_t i = 0; i < mac.size(); ++i) {
    const char* digits = text.data() + 3 * i;
    const auto [stopped, failure] = std::from_chars(digits, digits + 2, mac[i], 16);
    if (failure != std::errc() || stopped != digits + 2) return std::nullopt;
    if (i + 1 < mac.size() && *stopped != ':') return std::nullopt;
  }
  return mac;
}

std::string to_text(const IpAddress& address) {
  char text[INET6_ADDRSTRLEN] = "";
  ::inet_ntop(address.family, address.bytes.data(), text, sizeof text);
  return text;
}

std::string to_text(const IpPrefix& prefix) { return to_text(prefix.address) + "/" + std::to_string(prefix.length); }

std::string to_text(const MacAddress& mac) {
  char text[18];
  std::snprintf(text, sizeof text, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
  return text;
}

IpPrefix network_of(const IpPrefix& prefix) {
  IpPrefix network = prefix;
  for (size_t bit = prefix.length; bit < network.address.size() * 8; ++bit) {
    network.address.bytes[bit / 8] &= static_cast<uint8_t>(~(0x80U >> (bit % 8)));
  }
  return network;
}

bool is_link_local(const IpAddress& address) {
  return address.family == AF_INET6 && address.bytes[0] == 0xfe && (address.bytes[1] & 0xc0) == 0x80;
}

}  // namespace crosswire::os

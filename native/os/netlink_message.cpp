// SPDX-License-Identifier: Apache-2.0
#include "os/netlink_message.hpp"

#include <algorithm>

namespace crosswire::os {

Attributes::Attributes(const nlmsghdr* message, size_t header_size)
    : begin_(payload_of(message) + NLMSG_ALIGN(header_size)), end_(end_of(message)) {}

Attributes::Attributes(const nlattr* nest) : begin_(payload_of(nest)), end_(begin_ + payload_size(nest)) {}

const nlattr* Attributes::find(uint16_t type) const {
  for (const auto* attribute = attribute_at(begin_, end_); attribute; attribute = attribute_after(attribute, end_))
    if (type_of(attribute) == type) return attribute;
  return nullptr;
}

std::optional<Attributes> Attributes::nest(uint16_t type) const {
  const auto* attribute = find(type);
  return attribute == nullptr ? std::nullopt : std::optional(Attributes(attribute));
}

void Attributes::each(uint16_t type, const std::function<void(const Attributes& nest)>& visit) const {
  each([&](const nlattr* attribute) {
    if (type_of(attribute) == type) visit(Attributes(attribute));
  });
}

std::string Attributes::text(uint16_t type) const {
  const auto* attribute = find(type);
  if (attribute == nullptr) return {};
  const auto* data = payload_of(attribute);
  return {data, ::strnlen(data, payload_size(attribute))};
}

std::optional<IpAddress> Attributes::address(uint16_t type, uint8_t family) const {
  IpAddress address{family, {}};
  const auto* attribute = find(type);
  if (attribute == nullptr || payload_size(attribute) != address.size()) return std::nullopt;
  std::memcpy(address.bytes.data(), payload_of(attribute), address.size());
  return address;
}

std::optional<MacAddress> Attributes::mac(uint16_t type) const {
  MacAddress mac;
  const auto* attribute = find(type);
  if (attribute == nullptr || payload_size(attribute) != mac.size()) return std::nullopt;
  std::memcpy(mac.data(), payload_of(attribute), mac.size());
  return mac;
}

}  // namespace crosswire::os

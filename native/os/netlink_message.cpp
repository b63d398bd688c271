// SPDX-License-Identifier: Apache-2.0
#include "os/netlink_message.hpp"

#include <algorithm>

namespace crosswire::os {

Attributes::Attributes(const nlmsghdr* message, size_t header_size)
    : begin_(static_cast<const char*>(mnl_nlmsg_get_payload_offset(message, header_size))),
      end_(static_cast<const char*>(mnl_nlmsg_get_payload_tail(message))) {}

Attributes::Attributes(const nlattr* nest)
    : begin_(static_cast<const char*>(mnl_attr_get_payload(nest))), end_(begin_ + mnl_attr_get_payload_len(nest)) {}

const nlattr* Attributes::find(uint16_t type) const {
  const auto* attribute = reinterpret_cast<const nlattr*>(begin_);
  while (mnl_attr_ok(attribute, static_cast<int>(end_ - reinterpret_cast<const char*>(attribute)))) {
    if (mnl_attr_get_type(attribute) == type) return attribute;
    attribute = mnl_attr_next(attribute);
  }
  return nullptr;
}

std::optional<Attributes> Attributes::nest(uint16_t type) const {
  const auto* attribute = find(type);
  return attribute == nullptr ? std::nullopt : std::optional(Attributes(attribute));
}

void Attributes::each(uint16_t type, const std::function<void(const Attributes& nest)>& visit) const {
  const auto* attribute = reinterpret_cast<const nlattr*>(begin_);
  while (mnl_attr_ok(attribute, static_cast<int>(end_ - reinterpret_cast<const char*>(attribute)))) {
    if (mnl_attr_get_type(attribute) == type) visit(Attributes(attribute));
    attribute = mnl_attr_next(attribute);
  }
}

std::string Attributes::text(uint16_t type) const {
  const auto* attribute = find(type);
  if (attribute == nullptr) return {};
  const auto* data = static_cast<const char*>(mnl_attr_get_payload(attribute));
  return {data, ::strnlen(data, mnl_attr_get_payload_len(attribute))};
}

std::optional<IpAddress> Attributes::address(uint16_t type, uint8_t family) const {
  IpAddress address{family, {}};
  const auto* attribute = find(type);
  if (attribute == nullptr || mnl_attr_get_payload_len(attribute) != address.size()) return std::nullopt;
  std::memcpy(address.bytes.data(), mnl_attr_get_payload(attribute), address.size());
  return address;
}

std::optional<MacAddress> Attributes::mac(uint16_t type) const {
  MacAddress mac;
  const auto* attribute = find(type);
  if (attribute == nullptr || mnl_attr_get_payload_len(attribute) != mac.size()) return std::nullopt;
  std::memcpy(mac.data(), mnl_attr_get_payload(attribute), mac.size());
  return mac;
}

}  // namespace crosswire::os

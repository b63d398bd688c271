// SPDX-License-Identifier: Apache-2.0
// One netlink request being built, and a reader of the attributes of an answer (netlink(7)).
#pragma once

#include <libmnl/libmnl.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>

#include "os/address.hpp"

namespace crosswire::os {

class NetlinkMessage {
 public:
  // `header` is the message's own fixed part: ifinfomsg, ifaddrmsg, rtmsg, ndmsg.
  template <class Header>
  NetlinkMessage(uint16_t type, uint16_t flags, const Header& header) {
    message_ = mnl_nlmsg_put_header(buffer_.data());
    message_->nlmsg_type = type;
    message_->nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | flags);
    put_header(header);
  }
  NetlinkMessage(const NetlinkMessage&) = delete;
  NetlinkMessage& operator=(const NetlinkMessage&) = delete;

  template <class Header>
  void put_header(const Header& header) {
    std::memcpy(mnl_nlmsg_put_extra_header(message_, sizeof header), &header, sizeof header);
  }
  void put_u8(uint16_t type, uint8_t value) { put(type, &value, sizeof value); }
  void put_u16(uint16_t type, uint16_t value) { put(type, &value, sizeof value); }
  void put_u32(uint16_t type, uint32_t value) { put(type, &value, sizeof value); }
  void put_text(uint16_t type, const std::string& text) { put(type, text.c_str(), text.size() + 1); }
  void put_address(uint16_t type, const IpAddress& address) { put(type, address.bytes.data(), address.size()); }
  void put_mac(uint16_t type, const MacAddress& mac) { put(type, mac.data(), mac.size()); }
  void put_bytes(uint16_t type, const void* data, size_t size) { put(type, data, size); }
  nlattr* open_nest(uint16_t type) { return mnl_attr_nest_start(message_, type); }
  void close_nest(nlattr* nest) { mnl_attr_nest_end(message_, nest); }

  nlmsghdr* header() noexcept { return message_; }
  void wipe() noexcept { ::explicit_bzero(buffer_.data(), buffer_.size()); }  // after a message with a secret was sent
  bool overflowed() const noexcept { return overflowed_; }  // an attribute found no room: do not send the message

 private:
  void put(uint16_t type, const void* data, size_t size) {
    overflowed_ |= !mnl_attr_put_check(message_, capacity, type, size, data);
  }

  static constexpr size_t capacity = 2048;  // the fixed parts and nests take a few hundred; texts are checked
  alignas(nlmsghdr) std::array<char, capacity + 512> buffer_{};
  nlmsghdr* message_;
  bool overflowed_ = false;
};

// The attributes of an answer or of a nest. A value shorter than its type counts as absent.
class Attributes {
 public:
  Attributes(const nlmsghdr* message, size_t header_size);
  explicit Attributes(const nlattr* nest);

  const nlattr* find(uint16_t type) const;
  // Visits every attribute in order, whatever its type: for lists.
  template <class Visit>
  void each(const Visit& visit) const {
    const auto* attribute = reinterpret_cast<const nlattr*>(begin_);
    while (mnl_attr_ok(attribute, static_cast<int>(end_ - reinterpret_cast<const char*>(attribute)))) {
      visit(attribute);
      attribute = mnl_attr_next(attribute);
    }
  }
  std::optional<Attributes> nest(uint16_t type) const;
  void each(uint16_t type, const std::function<void(const Attributes& nest)>& visit) const;
  std::string text(uint16_t type) const;  // empty where absent
  std::optional<uint8_t> u8(uint16_t type) const { return number<uint8_t>(type); }
  std::optional<uint16_t> u16(uint16_t type) const { return number<uint16_t>(type); }
  std::optional<uint32_t> u32(uint16_t type) const { return number<uint32_t>(type); }
  std::optional<uint64_t> u64(uint16_t type) const { return number<uint64_t>(type); }
  std::optional<IpAddress> address(uint16_t type, uint8_t family) const;
  std::optional<MacAddress> mac(uint16_t type) const;

 private:
  template <class Number>
  std::optional<Number> number(uint16_t type) const {
    Number value;
    const auto* attribute = find(type);
    if (attribute == nullptr || mnl_attr_get_payload_len(attribute) < sizeof value) return std::nullopt;
    std::memcpy(&value, mnl_attr_get_payload(attribute), sizeof value);
    return value;
  }

  const char* begin_;
  const char* end_;
};

}  // namespace crosswire::os

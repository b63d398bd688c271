// SPDX-License-Identifier: Apache-2.0
// One netlink request being built, and a reader of the attributes of an answer (netlink(7)).
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>

#include "os/address.hpp"
#include "os/netlink_format.hpp"

namespace crosswire::os {

class NetlinkMessage {
 public:
  // `header` is the message's own fixed part: ifinfomsg, ifaddrmsg, rtmsg, ndmsg.
  template <class Header>
  NetlinkMessage(uint16_t type, uint16_t flags, const Header& header) {
    message_ = begin_message(buffer_.data());
    message_->nlmsg_type = type;
    message_->nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | flags);
    put_header(header);
  }
  NetlinkMessage(const NetlinkMessage&) = delete;
  NetlinkMessage& operator=(const NetlinkMessage&) = delete;

  template <class Header>
  void put_header(const Header& header) {
    std::memcpy(extend(message_, sizeof header), &header, sizeof header);
  }
  void put_u8(uint16_t type, uint8_t value) { put(type, &value, sizeof value); }
  void put_u16(uint16_t type, uint16_t value) { put(type, &value, sizeof value); }
  void put_u32(uint16_t type, uint32_t value) { put(type, &value, sizeof value); }
  void put_text(uint16_t type, const std::string& text) { put(type, text.c_str(), text.size() + 1); }
  void put_address(uint16_t type, const IpAddress& address) { put(type, address.bytes.data(), address.size()); }
  void put_mac(uint16_t type, const MacAddress& mac) { put(type, mac.data(), mac.size()); }
  void put_bytes(uint16_t type, const void* data, size_t size) { put(type, data, size); }
  nlattr* open_nest(uint16_t type) { return begin_nest(message_, type); }
  void close_nest(nlattr* nest) { end_nest(message_, nest); }

  nlmsghdr* header() noexcept { return message_; }
  void wipe() noexcept { ::explicit_bzero(buffer_.data(), buffer_.size()); }  // after a message with a secret was sent
  bool overflowed() const noexcept { return overflowed_; }  // an attribute found no room: do not send the message

 private:
  void put(uint16_t type, const void* data, size_t size) {
    overflowed_ |= !put_attribute(message_, capacity, type, data, size);
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
    for (const auto* attribute = attribute_at(begin_, end_); attribute; attribute = attribute_after(attribute, end_))
      visit(attribute);
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
    if (attribute == nullptr || payload_size(attribute) < sizeof value) return std::nullopt;
    std::memcpy(&value, payload_of(attribute), sizeof value);
    return value;
  }

  const char* begin_;
  const char* end_;
};

}  // namespace crosswire::os

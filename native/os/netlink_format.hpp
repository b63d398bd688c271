// SPDX-License-Identifier: Apache-2.0
// The format of a netlink message (netlink(7), linux/netlink.h): a header, a fixed part of its type, then attributes,
// each aligned to 4 bytes. Functions that read check no bounds unless they say so.
#pragma once

#include <linux/netlink.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace crosswire::os {

inline const char* payload_of(const nlmsghdr* message) noexcept {
  return reinterpret_cast<const char*>(message) + NLMSG_HDRLEN;
}
inline size_t payload_size(const nlmsghdr* message) noexcept { return message->nlmsg_len - NLMSG_HDRLEN; }
inline const char* end_of(const nlmsghdr* message) noexcept {
  return reinterpret_cast<const char*>(message) + NLMSG_ALIGN(message->nlmsg_len);
}

inline const char* payload_of(const nlattr* attribute) noexcept {
  return reinterpret_cast<const char*>(attribute) + NLA_HDRLEN;
}
inline size_t payload_size(const nlattr* attribute) noexcept { return attribute->nla_len - NLA_HDRLEN; }
inline uint16_t type_of(const nlattr* attribute) noexcept { return attribute->nla_type & NLA_TYPE_MASK; }

// The attribute at `position`, or nullptr where no whole one follows before `end`, which may lie before `position`.
inline const nlattr* attribute_at(const char* position, const char* end) noexcept {
  const ptrdiff_t left = end - position;
  const auto* attribute = reinterpret_cast<const nlattr*>(position);
  if (left < static_cast<ptrdiff_t>(sizeof(nlattr))) return nullptr;
  return attribute->nla_len >= sizeof(nlattr) && attribute->nla_len <= left ? attribute : nullptr;
}
inline const nlattr* attribute_after(const nlattr* attribute, const char* end) noexcept {
  return attribute_at(reinterpret_cast<const char*>(attribute) + NLA_ALIGN(attribute->nla_len), end);
}

// A message of a header only, in a buffer of zeros.
inline nlmsghdr* begin_message(char* buffer) noexcept {
  auto* message = reinterpret_cast<nlmsghdr*>(buffer);
  message->nlmsg_len = NLMSG_HDRLEN;
  return message;
}

// Appends `size` bytes for the caller to fill. Only zeros follow a message, so the padding is zero too.
inline char* extend(nlmsghdr* message, size_t size) noexcept {
  char* added = reinterpret_cast<char*>(message) + NLMSG_ALIGN(message->nlmsg_len);
  message->nlmsg_len = static_cast<uint32_t>(NLMSG_ALIGN(message->nlmsg_len) + NLMSG_ALIGN(size));
  return added;
}

// Whether there was room for it: a message takes `capacity` bytes at most.
inline bool put_attribute(nlmsghdr* message, size_t capacity, uint16_t type, const void* data, size_t size) noexcept {
  if (NLMSG_ALIGN(message->nlmsg_len) + NLA_HDRLEN + NLA_ALIGN(size) > capacity) return false;
  char* added = extend(message, NLA_HDRLEN + size);
  auto* attribute = reinterpret_cast<nlattr*>(added);
  attribute->nla_type = type;
  attribute->nla_len = static_cast<uint16_t>(NLA_HDRLEN + size);
  if (size > 0) std::memcpy(added + NLA_HDRLEN, data, size);
  return true;
}

inline nlattr* begin_nest(nlmsghdr* message, uint16_t type) noexcept {
  auto* nest = reinterpret_cast<nlattr*>(extend(message, NLA_HDRLEN));
  nest->nla_type = NLA_F_NESTED | type;
  return nest;
}
inline void end_nest(const nlmsghdr* message, nlattr* nest) noexcept {
  nest->nla_len = static_cast<uint16_t>(end_of(message) - reinterpret_cast<const char*>(nest));
}

}  // namespace crosswire::os

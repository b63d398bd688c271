// SPDX-License-Identifier: Apache-2.0
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "os/interface_edit.hpp"

namespace crosswire::os {

namespace {

Verdict request_address(InterfaceEdit& edit, uint16_t type, uint16_t flags, const IpPrefix& address) {
  ifaddrmsg header{};
  header.ifa_family = address.address.family;
  header.ifa_prefixlen = address.length;
  header.ifa_index = static_cast<uint32_t>(edit.index());
  // Without duplicate address detection (RFC 4862 §5.4), since no peer can hold the same address: usable at once.
  if (header.ifa_family == AF_INET6) header.ifa_flags = IFA_F_NODAD;
  NetlinkMessage message(type, flags, header);
  message.put_address(IFA_LOCAL, address.address);
  message.put_address(IFA_ADDRESS, address.address);
  return edit.socket.request(message);
}

Verdict request_new_address(InterfaceEdit& edit, const IpPrefix& address) {
  return request_address(edit, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, address);
}

// EEXIST means that the same address exists, though for IPv6 perhaps with another prefix length.
Result<bool> has_address(InterfaceEdit& edit, const IpPrefix& address) {
  std::vector<InterfaceInfo> now(1);
  now.front().index = edit.before.index;
  auto read = read_addresses(edit.socket, edit.interface.netns, now);
  if (!read) return std::move(read).error();
  const auto& addresses = now.front().addresses;
  // IPv6 link-local addresses are not listed: for them, EEXIST is enough.
  return is_link_local(address.address) || std::find(addresses.begin(), addresses.end(), address) != addresses.end();
}

}  // namespace

Result<> add_address(InterfaceEdit& edit, const IpPrefix& address) {
  const auto verdict = request_new_address(edit, address);
  if (verdict.errno_value == EEXIST) {
    auto there = has_address(edit, address);
    if (!there) return std::move(there).error();
    if (there.value()) return Done{};
  }
  if (!verdict.accepted()) {
    return refusal(verdict, "ADDRESS_REFUSED", "add address " + to_text(address), describe(edit.interface));
  }
  edit.undo.push_back([&edit, address] { (void)request_address(edit, RTM_DELADDR, 0, address); });
  return Done{};
}

Result<> remove_address(InterfaceEdit& edit, const IpPrefix& address) {
  const auto verdict = request_address(edit, RTM_DELADDR, 0, address);
  if (verdict.errno_value == EADDRNOTAVAIL) return Done{};
  if (!verdict.accepted()) {
    return refusal(verdict, "ADDRESS_REFUSED", "remove address " + to_text(address), describe(edit.interface));
  }
  edit.undo.push_back([&edit, address] { (void)request_new_address(edit, address); });
  return Done{};
}

}  // namespace crosswire::os

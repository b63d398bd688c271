// SPDX-License-Identifier: Apache-2.0
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cerrno>

#include "os/interface_edit.hpp"

namespace crosswire::os {

namespace {

ndmsg header_of(const InterfaceEdit& edit, const IpAddress& address) {
  ndmsg header{};
  header.ndm_family = address.family;
  header.ndm_ifindex = edit.index();
  header.ndm_state = NUD_PERMANENT;
  return header;
}

// Replaces an entry that the kernel learned by itself: the interface is ours.
Verdict request_neighbour(InterfaceEdit& edit, const Neighbour& neighbour) {
  NetlinkMessage message(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, header_of(edit, neighbour.address));
  message.put_address(NDA_DST, neighbour.address);
  message.put_mac(NDA_LLADDR, neighbour.mac);
  message.put_u8(NDA_PROTOCOL, routing_protocol);
  return edit.socket.request(message);
}

Verdict request_removal(InterfaceEdit& edit, const IpAddress& address) {
  NetlinkMessage message(RTM_DELNEIGH, 0, header_of(edit, address));
  message.put_address(NDA_DST, address);
  return edit.socket.request(message);
}

const Neighbour* former(const InterfaceEdit& edit, const IpAddress& address) {
  const auto& all = edit.before.neighbours;
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto& entry) { return entry.address == address; });
  return found == all.end() ? nullptr : &*found;
}

void push_undo(InterfaceEdit& edit, const IpAddress& address) {
  edit.undo.push_back([&edit, address] {
    const auto* entry = former(edit, address);
    (void)(entry == nullptr ? request_removal(edit, address) : request_neighbour(edit, *entry));
  });
}

}  // namespace

Result<> add_neighbour(InterfaceEdit& edit, const Neighbour& neighbour) {
  const auto verdict = request_neighbour(edit, neighbour);
  if (!verdict.accepted()) {
    return refusal(verdict, "NEIGHBOUR_REFUSED",
                   "add neighbour " + to_text(neighbour.address) + " at " + to_text(neighbour.mac),
                   describe(edit.interface));
  }
  push_undo(edit, neighbour.address);
  return Done{};
}

Result<> remove_neighbour(InterfaceEdit& edit, const Neighbour& neighbour) {
  const auto verdict = request_removal(edit, neighbour.address);
  if (verdict.errno_value == ENOENT) return Done{};
  if (!verdict.accepted()) {
    return refusal(verdict, "NEIGHBOUR_REFUSED", "remove neighbour " + to_text(neighbour.address),
                   describe(edit.interface));
  }
  push_undo(edit, neighbour.address);
  return Done{};
}

}  // namespace crosswire::os

// SPDX-License-Identifier: Apache-2.0
#include <linux/if.h>
#include <linux/rtnetlink.h>

#include <cerrno>

#include "os/interface_edit.hpp"

namespace crosswire::os {

namespace {

ifinfomsg header_of(const InterfaceEdit& edit) {
  ifinfomsg header{};
  header.ifi_index = edit.index();
  return header;
}

Verdict request_name(InterfaceEdit& edit, const std::string& name) {
  NetlinkMessage message(RTM_SETLINK, 0, header_of(edit));
  message.put_text(IFLA_IFNAME, name);
  return edit.socket.request(message);
}

Verdict request_mtu(InterfaceEdit& edit, uint32_t mtu) {
  NetlinkMessage message(RTM_SETLINK, 0, header_of(edit));
  message.put_u32(IFLA_MTU, mtu);
  return edit.socket.request(message);
}

Verdict request_mac(InterfaceEdit& edit, const MacAddress& mac) {
  NetlinkMessage message(RTM_SETLINK, 0, header_of(edit));
  message.put_mac(IFLA_ADDRESS, mac);
  return edit.socket.request(message);
}

Verdict request_up(InterfaceEdit& edit, bool up) {
  auto header = header_of(edit);
  header.ifi_change = IFF_UP;
  header.ifi_flags = up ? IFF_UP : 0;
  NetlinkMessage message(RTM_SETLINK, 0, header);
  return edit.socket.request(message);
}

}  // namespace

Result<> rename(InterfaceEdit& edit, const std::string& name) {
  if (name == edit.before.name) return Done{};
  const auto verdict = request_name(edit, name);
  if (!verdict.accepted()) {
    const auto code = verdict.errno_value == EEXIST ? "INTERFACE_EXISTS" : "INTERFACE_REFUSED";
    auto error = refusal(verdict, code, "rename interface to " + name, describe(edit.interface));
    if (verdict.errno_value == EBUSY) error.reason += "; Linux before 6.2 renames only interfaces that are down";
    return error;
  }
  edit.interface.name = name;
  edit.undo.push_back([&edit] { (void)request_name(edit, edit.before.name); });
  return Done{};
}

Result<> set_mtu(InterfaceEdit& edit, uint32_t mtu) {
  if (mtu == edit.before.mtu) return Done{};
  const auto verdict = request_mtu(edit, mtu);
  if (!verdict.accepted()) {
    return refusal(verdict, "INTERFACE_REFUSED", "set MTU " + std::to_string(mtu), describe(edit.interface));
  }
  edit.undo.push_back([&edit] { (void)request_mtu(edit, edit.before.mtu); });
  return Done{};
}

Result<> set_mac(InterfaceEdit& edit, const MacAddress& mac) {
  if (mac == edit.before.mac) return Done{};
  const auto verdict = request_mac(edit, mac);
  if (!verdict.accepted()) {
    return refusal(verdict, "INTERFACE_REFUSED", "set MAC address " + to_text(mac), describe(edit.interface));
  }
  edit.undo.push_back([&edit] { (void)request_mac(edit, *edit.before.mac); });
  return Done{};
}

Result<> set_up(InterfaceEdit& edit, bool up) {
  if (up == edit.before.up) return Done{};
  const auto verdict = request_up(edit, up);
  if (!verdict.accepted()) {
    // Only the device of a tunnel binds anything; it does so when it goes up.
    const bool no_port = verdict.errno_value == EADDRINUSE;
    return refusal(verdict, no_port ? "TUNNEL_REFUSED" : "INTERFACE_REFUSED",
                   no_port ? "bind the UDP port of the tunnel"
                   : up    ? "set interface up"
                           : "set interface down",
                   describe(edit.interface));
  }
  edit.undo.push_back([&edit] { (void)request_up(edit, edit.before.up); });
  return Done{};
}

}  // namespace crosswire::os

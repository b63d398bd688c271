// SPDX-License-Identifier: Apache-2.0
#include "os/tunnel.hpp"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <cerrno>

#include "os/interface_read.hpp"
#include "os/netns.hpp"

namespace crosswire::os {

namespace {

// The request is made in the process's own namespace, which becomes that of the UDP socket; the device is created in
// the target namespace (rtnl_newlink_create() in net/core/rtnetlink.c; vxlan_newlink() in
// drivers/net/vxlan/vxlan_core.c; creating_net in wg_newlink()).
template <class Kind>
Verdict request_device(NetlinkSocket& socket, const TunnelDevice& device, const Kind& tunnel, const Fd& target) {
  NetlinkMessage message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, ifinfomsg{});
  message.put_text(IFLA_IFNAME, device.interface.name);
  if (device.mac) message.put_mac(IFLA_ADDRESS, *device.mac);
  message.put_u32(IFLA_MTU, device.mtu);
  message.put_u32(IFLA_NET_NS_FD, static_cast<uint32_t>(target.get()));
  auto* info = message.open_nest(IFLA_LINKINFO);
  message.put_text(IFLA_INFO_KIND, Kind::kind);
  tunnel.put(message);
  message.close_nest(info);
  return socket.request(message);
}

template <class Kind>
Error creation_error(const Verdict& verdict, const TunnelDevice& device, const Kind& tunnel) {
  const std::string title = Kind::title;
  auto error = refusal(verdict, "TUNNEL_REFUSED", "create " + title + " device", describe(device.interface));
  const auto advice = tunnel.advice(verdict.errno_value);
  if (!advice.empty()) {
    error.reason += "; " + advice;
  } else if (verdict.errno_value == EOPNOTSUPP) {
    error.reason += "; the kernel may lack " + title + ": modprobe " + Kind::kind;
  }
  return error;
}

template <class Kind>
Result<> create(const TunnelDevice& device, const Kind& tunnel) {
  auto socket = NetlinkSocket::open("");
  if (!socket) return std::move(socket).error();
  auto target = open_namespace_or_own(device.interface.netns);
  if (!target) return std::move(target).error();
  const auto created = request_device(socket.value(), device, tunnel, target.value());
  if (!created.accepted()) return creation_error(created, device, tunnel);
  auto done = adopt_interface(device.interface, {device.alias, {}, 0, 0});
  if (!done) return done;
  done = tunnel.configure(device.interface);
  if (!done) (void)delete_interface(device.interface, device.alias);
  return done;
}

}  // namespace

Result<> create_tunnel(const TunnelDevice& device, const TunnelParameters& tunnel) {
  return std::visit([&](const auto& one) { return create(device, one); }, tunnel);
}

const char* kind_of(const TunnelParameters& tunnel) {
  return std::visit([](const auto& one) { return one.kind; }, tunnel);
}

Payload payload_of(const TunnelParameters& tunnel) {
  return std::visit([](const auto& one) { return one.payload; }, tunnel);
}

std::string describe(const TunnelParameters& tunnel) {
  return std::visit([](const auto& one) { return one.describe(); }, tunnel);
}

uint32_t port_mtu(const TunnelParameters& tunnel, uint32_t mtu) {
  return std::visit([&](const auto& one) { return one.port_mtu(mtu); }, tunnel);
}

std::map<std::string, bool> supported_tunnels() {
  std::map<std::string, bool> all;
  each_tunnel_kind([&]<class Kind>(std::type_identity<Kind>) {
    if (const auto supported = Kind::is_supported()) all[Kind::kind] = *supported;
  });
  return all;
}

std::optional<TunnelState> tunnel_of(const Attributes& link, const std::string& kind) {
  std::optional<TunnelState> tunnel;
  each_tunnel_kind([&]<class Kind>(std::type_identity<Kind>) {
    if (kind == Kind::kind) tunnel = Kind::read_link(link);
  });
  return tunnel;
}

Result<> read_tunnels(const std::string& netns, std::vector<InterfaceInfo>& interfaces) {
  Result<> done = Done{};
  each_tunnel_kind([&]<class Kind>(std::type_identity<Kind>) {
    if (done) done = Kind::read(netns, interfaces);
  });
  return done;
}

}  // namespace crosswire::os

// SPDX-License-Identifier: Apache-2.0
// The table of tunnel kinds, and the messages of VXLAN without a device (those of WireGuard: wireguard_test.cpp).
#include "os/tunnel.hpp"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>

#include <set>

#include "interface_fixture.hpp"
#include "os/netlink_message.hpp"

using namespace crosswire;
using namespace crosswire::os;

namespace {

// An answer about a link of the kind, with the attributes of a request for it.
struct Answer : NetlinkMessage {
  explicit Answer(const VxlanParameters& tunnel) : NetlinkMessage(RTM_NEWLINK, 0, ifinfomsg{}) {
    auto* info = open_nest(IFLA_LINKINFO);
    put_text(IFLA_INFO_KIND, VxlanParameters::kind);
    tunnel.put(*this);
    close_nest(info);
  }
  Attributes link() { return Attributes(header(), sizeof(ifinfomsg)); }
};

const IpAddress local_v4{AF_INET, {192, 0, 2, 1}}, remote_v4{AF_INET, {192, 0, 2, 2}};
const IpAddress local_v6{AF_INET6, {0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
const IpAddress remote_v6{AF_INET6, {0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}};

}  // namespace

TEST_CASE("each kind of tunnel has a name of its own, and is read by that name alone") {
  std::set<std::string> names;
  Answer answer({local_v4, remote_v4, 4789, 6});
  size_t readers = 0;
  each_tunnel_kind([&]<class Kind>(std::type_identity<Kind>) {
    CHECK(names.insert(Kind::kind).second);
    CHECK(std::string(kind_of(Kind{})) == Kind::kind);
    CHECK(payload_of(Kind{}) == Kind::payload);
    CHECK_FALSE(describe(TunnelParameters(Kind{})).empty());
    readers += tunnel_of(answer.link(), Kind::kind).has_value() ? 1 : 0;
  });
  CHECK(names.size() == std::variant_size_v<TunnelParameters>);
  CHECK(readers == 1);
  CHECK_FALSE(tunnel_of(answer.link(), "veth"));
}

TEST_CASE("VXLAN: what a device is told is what is read of it") {
  for (const auto& [local, remote] : {std::pair(local_v4, remote_v4), std::pair(local_v6, remote_v6)}) {
    Answer answer({local, remote, 4789, 0xfffffe});
    REQUIRE_FALSE(answer.overflowed());
    const auto tunnel = VxlanParameters::read_link(answer.link());
    REQUIRE(tunnel);
    CHECK(tunnel->local == local);
    CHECK(tunnel->remote == remote);
    CHECK(tunnel->port == 4789);
    CHECK(tunnel->vni == 0xfffffe);
  }
}

TEST_CASE("VXLAN: a port has room for a second VLAN tag, as far as the kernel permits") {
  const VxlanParameters v4{local_v4, remote_v4, 4789, 6}, v6{local_v6, remote_v6, 4789, 6};
  CHECK(port_mtu(v4, 1500) == 1504);
  CHECK(port_mtu(v4, 65485) == 65485);
  CHECK(port_mtu(v6, 65465) == 65465);
}

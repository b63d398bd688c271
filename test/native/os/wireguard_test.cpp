// SPDX-License-Identifier: Apache-2.0
// Only the messages to and from a WireGuard device. Tests with devices are in test/sriov, where the kernel has
// WireGuard.
#include "os/wireguard.hpp"

#include <linux/genetlink.h>
#include <linux/time_types.h>
#include <linux/wireguard.h>
#include <netinet/in.h>

#include <memory>
#include <vector>

#include "interface_fixture.hpp"

using namespace crosswire::os;

namespace {

const TunnelKey own{1, 2, 3}, peer{7, 8, 9}, other{4};
const IpAddress remote_v4{AF_INET, {192, 0, 2, 9}};
const IpAddress remote_v6{AF_INET6, {0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9}};

NetlinkMessage& device_message(NetlinkMessage& message, const WireguardTunnel& tunnel) {
  put_wireguard(message, "cw0", own, tunnel);
  message.put_bytes(WGDEVICE_A_PUBLIC_KEY, other.data(), other.size());
  return message;
}

struct Message : NetlinkMessage {
  Message() : NetlinkMessage(40, 0, genlmsghdr{WG_CMD_SET_DEVICE, WG_GENL_VERSION, 0}) {}
};

template <class Range>
void put_peer(NetlinkMessage& message, const TunnelKey& key, const Range& families, bool placed = true) {
  auto* peers = message.open_nest(WGDEVICE_A_PEERS);
  auto* one = message.open_nest(0);
  message.put_bytes(WGPEER_A_PUBLIC_KEY, key.data(), key.size());
  message.put_u16(WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, 10);
  sockaddr_in place{};
  place.sin_family = AF_INET;
  if (placed) message.put_bytes(WGPEER_A_ENDPOINT, &place, sizeof place);
  auto* allowed = message.open_nest(WGPEER_A_ALLOWEDIPS);
  for (const uint16_t family : families) {
    auto* range = message.open_nest(0);
    message.put_u16(WGALLOWEDIP_A_FAMILY, family);
    message.put_address(WGALLOWEDIP_A_IPADDR, IpAddress{static_cast<uint8_t>(family), {}});
    message.put_u8(WGALLOWEDIP_A_CIDR_MASK, 0);
    message.close_nest(range);
  }
  message.close_nest(allowed);
  message.close_nest(one);
  message.close_nest(peers);
}

using Families = std::vector<uint16_t>;
const Families both{AF_INET, AF_INET6};

}  // namespace

TEST_CASE("a key is 44 letters of base64, there and back") {
  const std::string text = "AQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
  CHECK(to_text(own) == text);
  CHECK(parse_tunnel_key(text) == own);
  TunnelKey all;
  for (size_t at = 0; at < all.size(); ++at) all[at] = static_cast<uint8_t>(0xff - 7 * at);
  CHECK(parse_tunnel_key(to_text(all)) == all);
  for (const auto* bad :
       {"", "AQID", "AQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "AQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=", "AQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA-AA=",
        "AQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==", "AQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="}) {
    CHECK_FALSE(parse_tunnel_key(bad));
  }
}

TEST_CASE("a device is told its key, its port and one peer that may have every address") {
  for (const auto& remote : {remote_v4, remote_v6}) {
    const WireguardTunnel tunnel{51820, remote, 51821, peer};
    Message message;
    put_wireguard(message, "cw0", own, tunnel);
    REQUIRE_FALSE(message.overflowed());
    CHECK(message.header()->nlmsg_len < 512);
    const Attributes device(message.header(), sizeof(genlmsghdr));
    CHECK(device.text(WGDEVICE_A_IFNAME) == "cw0");
    CHECK(device.u32(WGDEVICE_A_FLAGS) == WGDEVICE_F_REPLACE_PEERS);
    CHECK(device.u16(WGDEVICE_A_LISTEN_PORT) == 51820);
    const auto* key = device.find(WGDEVICE_A_PRIVATE_KEY);
    REQUIRE(payload_size(key) == own.size());
    CHECK(std::memcmp(payload_of(key), own.data(), own.size()) == 0);

    WireguardReader reader;
    reader.read(device_message(message, tunnel).header());
    REQUIRE(reader.state());
    CHECK(reader.state()->tunnel == tunnel);
    CHECK(reader.state()->public_key == other);
    CHECK(reader.state()->handshake == 0);
    reader.clear();
    CHECK_FALSE(reader.state());
  }
}

TEST_CASE("the secret is not in the message any more once it was wiped") {
  Message message;
  put_wireguard(message, "cw0", own, {51820, remote_v4, 51820, peer});
  const auto length = message.header()->nlmsg_len;
  const auto* bytes = reinterpret_cast<const char*>(message.header());
  message.wipe();
  for (size_t at = 0; at < length; ++at) REQUIRE(bytes[at] == 0);
}

TEST_CASE("an answer in several parts is one device: more addresses of the peer, its last handshake") {
  WireguardReader reader;
  Message first, second;
  put_peer(first, peer, Families{AF_INET});
  reader.read(first.header());
  CHECK_FALSE(reader.state());  // IPv6 is missing
  put_peer(second, peer, Families{AF_INET6}, false);
  reader.read(second.header());
  REQUIRE(reader.state());
  CHECK(reader.state()->tunnel.peer == peer);

  Message heard;
  auto* peers = heard.open_nest(WGDEVICE_A_PEERS);
  auto* one = heard.open_nest(0);
  heard.put_bytes(WGPEER_A_PUBLIC_KEY, peer.data(), peer.size());
  const __kernel_timespec time{1'700'000'000, 5};
  heard.put_bytes(WGPEER_A_LAST_HANDSHAKE_TIME, &time, sizeof time);
  heard.close_nest(one);
  heard.close_nest(peers);
  reader.read(heard.header());
  REQUIRE(reader.state());
  CHECK(reader.state()->handshake == 1'700'000'000);
}

TEST_CASE("what is not as we make it is not ours: two peers, none, no place, no addresses") {
  SUBCASE("two peers") {
    WireguardReader reader;
    Message first, second;
    put_peer(first, peer, both);
    put_peer(second, other, both);
    reader.read(first.header());
    CHECK(reader.state());
    reader.read(second.header());
    CHECK_FALSE(reader.state());
  }
  SUBCASE("no peer") {
    WireguardReader reader;
    Message message;
    message.put_u16(WGDEVICE_A_LISTEN_PORT, 51820);
    reader.read(message.header());
    CHECK_FALSE(reader.state());
  }
  SUBCASE("no place, or no address") {
    for (const auto placed : {true, false}) {
      WireguardReader reader;
      Message message;
      put_peer(message, peer, placed ? Families{} : both, placed);
      reader.read(message.header());
      CHECK_FALSE(reader.state());
    }
  }
}

// A message of the kernel's has a multiple of four bytes (NLMSG_ALIGNTO).
TEST_CASE("an answer cut short anywhere is read within its bounds") {
  Message message;
  device_message(message, {51820, remote_v6, 51821, peer});
  const auto* whole = reinterpret_cast<const char*>(message.header());
  for (uint32_t length = sizeof(nlmsghdr); length <= message.header()->nlmsg_len; length += NLMSG_ALIGNTO) {
    const auto copy = std::make_unique<char[]>(length);  // of just this size, for the sanitizer to see
    std::memcpy(copy.get(), whole, length);
    auto* part = reinterpret_cast<nlmsghdr*>(copy.get());
    part->nlmsg_len = length;
    WireguardReader reader;
    reader.read(part);
    if (length + 40 < message.header()->nlmsg_len) CHECK_FALSE(reader.state());
  }
}

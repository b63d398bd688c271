// SPDX-License-Identifier: Apache-2.0
// What a WireGuard device is told and tells over generic netlink (linux/wireguard.h): its keys, its UDP port and its
// single peer, which may have all addresses.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "os/address.hpp"
#include "os/netlink_message.hpp"

namespace crosswire::os {

using WireguardKey = std::array<uint8_t, 32>;

// Standard base64, as wg(8) writes keys. Empty if the text is none.
std::optional<WireguardKey> parse_wireguard_key(const std::string& text);
std::string to_text(const WireguardKey& key);

struct WireguardTunnel {
  uint16_t port = 0;  // UDP, on every address of both families (drivers/net/wireguard/socket.c, wg_socket_init)
  IpAddress remote;
  uint16_t remote_port = 0;
  WireguardKey peer{};  // its public key
  bool operator==(const WireguardTunnel&) const = default;
};

struct WireguardState {
  WireguardTunnel tunnel;     // the remote is where the peer was heard last
  WireguardKey public_key{};  // of the device itself
  int64_t handshake = 0;      // the last one, in seconds since 1970; 0: none yet
};

// The arguments of WG_CMD_SET_DEVICE: other peers go. The kernel copies the private key; whoever built the message
// wipes it.
void put_wireguard(NetlinkMessage& message, const std::string& name, const WireguardKey& private_key,
                   const WireguardTunnel& tunnel);

// The answers to WG_CMD_GET_DEVICE: a device whose peers do not fit into one message comes in several, and a peer whose
// addresses do not fit, too. The private key is passed over.
class WireguardReader {
 public:
  void clear() { *this = {}; }
  void read(const nlmsghdr* answer);
  // Empty unless there is exactly one peer, with a known place, that may have every address and is kept alive.
  std::optional<WireguardState> state() const;

 private:
  void read_peer(const Attributes& peer);
  void read_endpoint(const nlattr* endpoint);
  void read_range(const Attributes& range);

  WireguardState state_;
  uint32_t peers_ = 0;
  uint16_t keepalive_ = 0;
  bool all_v4_ = false, all_v6_ = false;
};

}  // namespace crosswire::os

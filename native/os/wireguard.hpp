// SPDX-License-Identifier: Apache-2.0
// WireGuard with a single peer, whose allowed IPs are all addresses. A device gets its keys, its UDP port and its peer
// over generic netlink (linux/wireguard.h). For the meaning of the members see os/tunnel_kinds.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/frame.hpp"
#include "core/result.hpp"
#include "os/address.hpp"
#include "os/netlink_message.hpp"
#include "os/tunnel_key.hpp"

namespace crosswire::os {

struct InterfaceInfo;
struct InterfaceReference;

struct WireguardTunnel {
  uint16_t port = 0;  // UDP, on every address of both families (drivers/net/wireguard/socket.c, wg_socket_init)
  IpAddress remote;
  uint16_t remote_port = 0;
  TunnelKey peer{};  // its public key
  bool operator==(const WireguardTunnel&) const = default;
};

struct WireguardState {
  WireguardTunnel tunnel;  // its remote is the address from which the peer was last heard
  TunnelKey public_key{};  // of the device itself
  int64_t handshake = 0;   // the last one, in seconds since 1970; 0: none yet
};

// The device is created without keys and gets them in its namespace. Its UDP port is bound when it goes up.
struct WireguardParameters {
  static constexpr const char* kind = "wireguard";
  static constexpr const char* title = "WireGuard";
  static constexpr Payload payload = Payload::ip;
  using State = WireguardState;

  WireguardTunnel tunnel;
  TunnelKey private_key{};

  std::string describe() const;
  uint32_t port_mtu(uint32_t mtu) const { return mtu; }
  void put(NetlinkMessage&) const {}
  std::string advice(int) const { return {}; }
  Result<> configure(const InterfaceReference& interface) const;
  static std::optional<bool> is_supported();
  static std::optional<State> read_link(const Attributes&) { return std::nullopt; }
  static Result<> read(const std::string& netns, std::vector<InterfaceInfo>& interfaces);
};

// Adds the arguments of WG_CMD_SET_DEVICE, which replaces all peers. The message then holds the private key: whoever
// built it wipes it after sending.
void put_wireguard(NetlinkMessage& message, const std::string& name, const TunnelKey& private_key,
                   const WireguardTunnel& tunnel);

// Reads the answers to WG_CMD_GET_DEVICE. A device whose peers do not fit into one message comes in several, and so
// does a peer whose allowed IPs do not fit. The private key is ignored.
class WireguardReader {
 public:
  void clear() { *this = {}; }
  void read(const nlmsghdr* answer);
  // Empty unless there is exactly one peer, with a known endpoint, all addresses allowed, and a keepalive.
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

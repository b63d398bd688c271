// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <linux/genetlink.h>
#include <linux/time_types.h>
#include <linux/wireguard.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>

#include "os/wireguard.hpp"

namespace crosswire::os {

namespace {

// Keeps NAT mappings on the path open, and shows both nodes within seconds whether the other is reachable.
constexpr uint16_t keepalive_seconds = 10;

void put_endpoint(NetlinkMessage& message, const IpAddress& address, uint16_t port) {
  if (address.family == AF_INET) {
    sockaddr_in endpoint{};
    endpoint.sin_family = AF_INET;
    endpoint.sin_port = htons(port);
    std::memcpy(&endpoint.sin_addr, address.bytes.data(), sizeof endpoint.sin_addr);
    message.put_bytes(WGPEER_A_ENDPOINT, &endpoint, sizeof endpoint);
  } else {
    sockaddr_in6 endpoint{};
    endpoint.sin6_family = AF_INET6;
    endpoint.sin6_port = htons(port);
    std::memcpy(&endpoint.sin6_addr, address.bytes.data(), sizeof endpoint.sin6_addr);
    message.put_bytes(WGPEER_A_ENDPOINT, &endpoint, sizeof endpoint);
  }
}

void put_everything(NetlinkMessage& message, uint8_t family) {
  auto* range = message.open_nest(0);
  message.put_u16(WGALLOWEDIP_A_FAMILY, family);
  message.put_address(WGALLOWEDIP_A_IPADDR, IpAddress{family, {}});
  message.put_u8(WGALLOWEDIP_A_CIDR_MASK, 0);
  message.close_nest(range);
}

// False where it is shorter than a key, or absent.
bool read_key(const nlattr* attribute, TunnelKey& key) {
  if (attribute == nullptr || payload_size(attribute) < key.size()) return false;
  std::memcpy(key.data(), payload_of(attribute), key.size());
  return true;
}

}  // namespace

void put_wireguard(NetlinkMessage& message, const std::string& name, const TunnelKey& private_key,
                   const WireguardTunnel& tunnel) {
  message.put_text(WGDEVICE_A_IFNAME, name);
  message.put_u32(WGDEVICE_A_FLAGS, WGDEVICE_F_REPLACE_PEERS);
  message.put_bytes(WGDEVICE_A_PRIVATE_KEY, private_key.data(), private_key.size());
  message.put_u16(WGDEVICE_A_LISTEN_PORT, tunnel.port);
  auto* peers = message.open_nest(WGDEVICE_A_PEERS);
  auto* peer = message.open_nest(0);
  message.put_bytes(WGPEER_A_PUBLIC_KEY, tunnel.peer.data(), tunnel.peer.size());
  message.put_u32(WGPEER_A_FLAGS, WGPEER_F_REPLACE_ALLOWEDIPS);
  put_endpoint(message, tunnel.remote, tunnel.remote_port);
  message.put_u16(WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, keepalive_seconds);
  auto* allowed = message.open_nest(WGPEER_A_ALLOWEDIPS);
  put_everything(message, AF_INET);
  put_everything(message, AF_INET6);
  message.close_nest(allowed);
  message.close_nest(peer);
  message.close_nest(peers);
}

void WireguardReader::read(const nlmsghdr* answer) {
  if (payload_size(answer) < sizeof(genlmsghdr)) return;
  const Attributes device(answer, sizeof(genlmsghdr));
  read_key(device.find(WGDEVICE_A_PUBLIC_KEY), state_.public_key);
  if (const auto port = device.u16(WGDEVICE_A_LISTEN_PORT)) state_.tunnel.port = *port;
  const auto peers = device.nest(WGDEVICE_A_PEERS);
  if (peers) peers->each([&](const nlattr* peer) { read_peer(Attributes(peer)); });
}

void WireguardReader::read_peer(const Attributes& peer) {
  TunnelKey key;
  if (!read_key(peer.find(WGPEER_A_PUBLIC_KEY), key)) return;
  const bool continues = peers_ > 0 && key == state_.tunnel.peer;
  if (!continues) ++peers_;
  state_.tunnel.peer = key;
  if (const auto* endpoint = peer.find(WGPEER_A_ENDPOINT)) read_endpoint(endpoint);
  if (const auto interval = peer.u16(WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL)) keepalive_ = *interval;
  const auto* last = peer.find(WGPEER_A_LAST_HANDSHAKE_TIME);
  if (last != nullptr && payload_size(last) >= sizeof(__kernel_timespec)) {
    __kernel_timespec time;
    std::memcpy(&time, payload_of(last), sizeof time);
    state_.handshake = time.tv_sec;
  }
  const auto allowed = peer.nest(WGPEER_A_ALLOWEDIPS);
  if (allowed) allowed->each([&](const nlattr* range) { read_range(Attributes(range)); });
}

void WireguardReader::read_endpoint(const nlattr* endpoint) {
  const auto* data = payload_of(endpoint);
  const auto size = payload_size(endpoint);
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  if (size == sizeof v4) {
    std::memcpy(&v4, data, sizeof v4);
    state_.tunnel.remote = {AF_INET, {}};
    std::memcpy(state_.tunnel.remote.bytes.data(), &v4.sin_addr, sizeof v4.sin_addr);
    state_.tunnel.remote_port = ntohs(v4.sin_port);
  } else if (size == sizeof v6) {
    std::memcpy(&v6, data, sizeof v6);
    state_.tunnel.remote = {AF_INET6, {}};
    std::memcpy(state_.tunnel.remote.bytes.data(), &v6.sin6_addr, sizeof v6.sin6_addr);
    state_.tunnel.remote_port = ntohs(v6.sin6_port);
  }
}

void WireguardReader::read_range(const Attributes& range) {
  if (range.u8(WGALLOWEDIP_A_CIDR_MASK) != 0) return;
  const auto family = range.u16(WGALLOWEDIP_A_FAMILY);
  all_v4_ |= family == AF_INET;
  all_v6_ |= family == AF_INET6;
}

std::optional<WireguardState> WireguardReader::state() const {
  const bool whole = peers_ == 1 && all_v4_ && all_v6_ && keepalive_ == keepalive_seconds;
  return whole && state_.tunnel.remote.family != 0 ? std::optional(state_) : std::nullopt;
}

}  // namespace crosswire::os

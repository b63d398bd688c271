// SPDX-License-Identifier: Apache-2.0
// VXLAN (RFC 7348) with a single remote. For the meaning of the members see os/tunnel_kinds.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/frame.hpp"
#include "core/result.hpp"
#include "os/address.hpp"

namespace crosswire::os {

class Attributes;
class NetlinkMessage;
struct InterfaceInfo;
struct InterfaceReference;

// The device sends to the remote only (no learning). Its UDP socket is bound when the device goes up. The kernel
// refuses a VNI that another device uses at the same port and family (EEXIST), whatever the remotes.
struct VxlanParameters {
  static constexpr const char* kind = "vxlan";
  static constexpr const char* title = "VXLAN";
  static constexpr Payload payload = Payload::ethernet;
  using State = VxlanParameters;

  IpAddress local, remote;  // of one family
  uint16_t port = 0;        // UDP, of both sides
  uint32_t vni = 0;         // 24 bits

  std::string describe() const;
  uint32_t port_mtu(uint32_t mtu) const;
  void put(NetlinkMessage& message) const;
  std::string advice(int errno_value) const;
  Result<> configure(const InterfaceReference&) const { return Done{}; }
  static std::optional<bool> is_supported() { return std::nullopt; }
  static std::optional<State> read_link(const Attributes& link);  // empty for a device without both addresses
  static Result<> read(const std::string&, std::vector<InterfaceInfo>&) { return Done{}; }
};

}  // namespace crosswire::os

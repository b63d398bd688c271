// SPDX-License-Identifier: Apache-2.0
#include "link/kernel/frame_source.hpp"

#include "link/kernel/packet_source.hpp"
#include "link/kernel/tun_source.hpp"
#include "link/kernel/tunnel_source.hpp"

namespace crosswire {
namespace {

struct Maker {
  Payload payload;
  uint32_t mtu;

  std::unique_ptr<FrameSource> operator()(const TunInterface& interface) const {
    return std::make_unique<TunSource>(interface, payload);
  }
  std::unique_ptr<FrameSource> operator()(const PacketInterface& interface) const {
    return std::make_unique<PacketSource>(interface);
  }
  std::unique_ptr<FrameSource> operator()(const os::TunnelParameters& tunnel) const {
    return std::make_unique<TunnelSource>(tunnel, mtu);
  }
};

}  // namespace

std::unique_ptr<FrameSource> make_source(const SourceRequest& request, Payload payload, uint32_t mtu) {
  return std::visit(Maker{payload, mtu}, request);
}

}  // namespace crosswire

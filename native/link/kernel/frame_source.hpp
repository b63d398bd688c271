// SPDX-License-Identifier: Apache-2.0
// What a kernel link takes frames from and gives frames to: one descriptor on which the kernel puts a little-endian
// virtio_net_hdr of ten bytes (core/offload.hpp) in front of every frame. Sources differ in how the descriptor is made
// and read; all are written with writev(2).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>

#include "core/frame.hpp"
#include "core/result.hpp"
#include "os/fd.hpp"
#include "os/tunnel_kinds.hpp"

namespace crosswire {

class BurstReader;

// What the last read told about the interface.
enum class InterfaceCondition : uint8_t { unknown, up, down, deleted };

class FrameSource {
 public:
  FrameSource() = default;
  FrameSource(const FrameSource&) = delete;
  FrameSource& operator=(const FrameSource&) = delete;
  virtual ~FrameSource() = default;

  virtual const char* kind() const noexcept = 0;  // see LinkFacts
  virtual std::string interface() const = 0;      // for people
  virtual Result<os::Fd> open() = 0;              // non-blocking
  virtual void close() noexcept {}                // what open() made besides; after its descriptor was closed
  // Reads a burst of frames from the descriptor of open(). One call per burst: the loop over frames is in BurstReader.
  virtual InterfaceCondition read(int fd, BurstReader& reader) noexcept = 0;
};

// A TAP (payload ethernet) or TUN (payload ip) device; it must exist, see os::create_tun().
struct TunInterface {
  std::string netns;  // path; empty: the current namespace
  std::string name;
};
// Any other interface of payload ethernet.
struct PacketInterface {
  std::string netns;
  std::string name;
};
// A tunnel is a device of its own, which exists as long as the link is open.
using SourceRequest = std::variant<TunInterface, PacketInterface, os::TunnelParameters>;

// `mtu`: of IP packets on the wire.
std::unique_ptr<FrameSource> make_source(const SourceRequest& request, Payload payload, uint32_t mtu);

}  // namespace crosswire

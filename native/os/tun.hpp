// SPDX-License-Identifier: Apache-2.0
// TUN/TAP devices (Documentation/networking/tuntap.rst). Ours are persistent: the interface, its addresses and the
// workload's sockets survive a restart of the forwarder, which only attaches again.
#pragma once

#include <cstdint>
#include <string>

#include "core/result.hpp"
#include "os/fd.hpp"

namespace crosswire::os {

enum class TunKind : uint8_t {
  tap,  // Ethernet frames
  tun,  // IP packets
};

// Creates a persistent device, down, under a name that must be free, and detaches from it. Returns its interface
// index. `netns` is a path, empty for the current namespace; as with NamespaceGuard, call it on an addon thread.
// Errors: those of NamespaceGuard, TAP_UNSUPPORTED (no /dev/net/tun), TAP_DENIED (CAP_NET_ADMIN), TAP_EXISTS (the name
// is taken), TAP_FAILED.
Result<uint32_t> create_tun(const std::string& netns, const std::string& name, TunKind kind);

// Attaches to an existing persistent device, never creates one. The descriptor is non-blocking and carries a
// little-endian virtio_net_hdr of ten bytes in front of every frame; checksum and segmentation offloads are on.
// An open descriptor keeps the namespace alive (sk_alloc() in tun_chr_open()): a namespace without other users
// vanishes, with the device, when the descriptor is closed. Errors: as above, and TAP_MISSING, TAP_BUSY (another
// process is attached), TAP_WRONG_KIND (no TUN/TAP of this kind).
Result<Fd> attach_tun(const std::string& netns, const std::string& name, TunKind kind);

}  // namespace crosswire::os

// SPDX-License-Identifier: Apache-2.0
#include "link/kernel/tun_source.hpp"

#include <unistd.h>

#include "link/kernel/burst_reader.hpp"
#include "os/tun.hpp"

namespace crosswire {

Result<os::Fd> TunSource::open() {
  const auto kind = payload_ == Payload::ethernet ? os::TunKind::tap : os::TunKind::tun;
  return os::attach_tun(interface_.netns, interface_.name, kind);
}

InterfaceCondition TunSource::read(int fd, BurstReader& reader) noexcept {
  return reader.read_all([fd](std::span<uint8_t> room, size_t&) { return ::read(fd, room.data(), room.size()); });
}

}  // namespace crosswire

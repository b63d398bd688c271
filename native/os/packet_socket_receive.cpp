// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "core/offload.hpp"
#include "os/packet_socket.hpp"

namespace crosswire::os {

namespace {

constexpr size_t virtio_size = VirtioHeader::size, addresses_size = 12, tag_size = receive_gap;
constexpr size_t head_size = virtio_size + addresses_size;

// The kernel removes the outermost VLAN tag from the frame (skb_vlan_untag() in net/core/dev.c) and reports it as
// control data.
const tpacket_auxdata* find_auxdata(msghdr& message) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level == SOL_PACKET && part->cmsg_type == PACKET_AUXDATA) {
      return reinterpret_cast<const tpacket_auxdata*>(CMSG_DATA(part));
    }
  }
  return nullptr;
}

void put_tag(const tpacket_auxdata& found, uint8_t* room) {
  const uint16_t known = (found.tp_status & TP_STATUS_VLAN_TPID_VALID) != 0 ? found.tp_vlan_tpid : uint16_t{0x8100};
  const std::array<uint16_t, 2> tag{htons(known), htons(found.tp_vlan_tci)};
  std::memcpy(room, tag.data(), tag_size);
}

// The offset of the checksum grows by the length of the tag.
void shift_checksum(uint8_t* header) {
  auto virtio = decode_virtio(header);
  if ((virtio.flags & VirtioHeader::flag_needs_checksum) == 0) return;
  virtio.checksum_start = static_cast<uint16_t>(virtio.checksum_start + tag_size);
  encode_virtio(virtio, header);
}

}  // namespace

ssize_t receive_frame(int socket, std::span<uint8_t> room, size_t& begin) noexcept {
  // Leave a gap for the tag after the MAC addresses. If there is no tag, what precedes the gap moves to close it.
  std::array<iovec, 2> parts{iovec{room.data(), head_size},
                             iovec{room.data() + head_size + tag_size, room.size() - head_size - tag_size}};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(tpacket_auxdata))> control;
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t got = ::recvmsg(socket, &message, 0);
  begin = 0;
  if (got >= 0 && (message.msg_flags & MSG_TRUNC) != 0) return errno = EMSGSIZE, -1;
  if (got < static_cast<ssize_t>(head_size)) return got;
  const auto* found = find_auxdata(message);
  if (found != nullptr && (found->tp_status & TP_STATUS_VLAN_VALID) != 0) {
    put_tag(*found, room.data() + head_size);
    shift_checksum(room.data());
    return got + static_cast<ssize_t>(tag_size);
  }
  std::memmove(room.data() + tag_size, room.data(), head_size);
  begin = tag_size;
  return got;
}

uint32_t take_overruns(int socket) noexcept {
  tpacket_stats seen{};
  socklen_t size = sizeof seen;
  return ::getsockopt(socket, SOL_PACKET, PACKET_STATISTICS, &seen, &size) == 0 ? seen.tp_drops : 0;
}

}  // namespace crosswire::os

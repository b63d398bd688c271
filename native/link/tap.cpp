// SPDX-License-Identifier: Apache-2.0
#include "link/tap.hpp"

#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "core/headers.hpp"
#include "core/offload.hpp"
#include "os/error.hpp"
#include "os/packet_socket.hpp"
#include "os/tun.hpp"
#include "os/tunnel.hpp"

namespace crosswire {
namespace {

constexpr uint32_t ethernet_header = 14, two_tags = 8;
constexpr uint32_t receive_budget = 64;  // measured: more gains nothing and delays the other wires of the worker
// In the frames that super-frames stand for: what a memif link hands on in a turn (Burst::capacity), less the last one.
// Sixteen super-frames at once overran its ring of 1,024 slots, and TCP sent much of it twice.
constexpr uint32_t receive_units = 200;

// One read() must find room for the longest frame, but takes only what it fills: small frames lie densely.
constexpr uint32_t longest_read = VirtioHeader::size + max_frame_length + os::receive_gap;
constexpr size_t cache_line = 64;
static_assert(scratch_bytes >= 2 * longest_read);

constexpr size_t rounded(size_t bytes) { return (bytes + cache_line - 1) / cache_line * cache_line; }

uint32_t longest_frame(Payload payload, uint32_t mtu) {
  return std::min(max_frame_length, mtu + (payload == Payload::ethernet ? ethernet_header + two_tags : 0));
}

const char* kind_of(const TapLink::Options& options) {
  if (options.tunnel) return os::kind_of(*options.tunnel);
  if (options.is_device) return "device";
  return options.payload == Payload::ethernet ? "tap" : "tun";
}

// What read(2) and write(2) answer once the interface was deleted (tun_chr_read_iter() in drivers/net/tun.c).
bool is_gone(int error) { return error == EBADFD || error == EBADF; }

DropReason reason_of_loss(int error) {
  if (error == EMSGSIZE) return DropReason::too_big;
  return error == EINVAL ? DropReason::bad_offload : DropReason::io_error;
}

}  // namespace

TapLink::TapLink(Options options)
    : options_(std::move(options)),
      facts_{options_.name, kind_of(options_), options_.payload, longest_frame(options_.payload, options_.mtu), true} {}

LinkState TapLink::state() const {
  switch (phase_.load(std::memory_order_relaxed)) {
    case Phase::closed:
      return {.detail = "not open"};
    case Phase::attached:
      return {.up = true, .detail = "attached to " + options_.interface};
    case Phase::interface_down:
      return {.detail = "interface " + options_.interface + " is down"};
    case Phase::gone:
      return {.detail = "interface " + options_.interface + " was deleted"};
  }
  return {};
}

Result<os::Fd> TapLink::attach() {
  const auto kind = options_.payload == Payload::ethernet ? os::TunKind::tap : os::TunKind::tun;
  if (options_.is_device) return os::open_packet_socket(options_.netns, options_.interface);
  if (!options_.tunnel) return os::attach_tun(options_.netns, options_.interface, kind);
  auto port = os::TunnelPort::open(*options_.tunnel, options_.mtu);
  if (!port) return std::move(port).error();
  port_.emplace(std::move(port).value());
  return port_->take_socket();
}

Result<> TapLink::open() {
  auto tap = attach();
  if (!tap) return std::move(tap).error();

  os::Fd poll(::epoll_create1(EPOLL_CLOEXEC));
  epoll_event readable{.events = EPOLLIN, .data = {}};
  if (!poll || ::epoll_ctl(poll.get(), EPOLL_CTL_ADD, tap.value().get(), &readable) != 0) {
    return os::system_error("TAP_FAILED", "watch TAP device", options_.interface, errno);
  }
  tap_ = std::move(tap).value();
  poll_ = std::move(poll);
  merges_udp_ = true;
  phase_.store(Phase::attached, std::memory_order_relaxed);
  return Done{};
}

void TapLink::close() noexcept {
  poll_.reset();
  tap_.reset();
  port_.reset();
  phase_.store(Phase::closed, std::memory_order_relaxed);
}

void TapLink::receive(Burst& burst) noexcept {
  receive_frames(burst);
  // What found the socket's queue full came behind frames that were in it.
  if (uses_packets() && burst.count > 0) burst.drop(DropReason::tx_full, os::take_overruns(tap_.get()));
}

ssize_t TapLink::read_frame(std::span<uint8_t> room, size_t& begin) noexcept {
  if (uses_packets()) return os::receive_frame(tap_.get(), room.first(longest_read), begin);
  return ::read(tap_.get(), room.data(), longest_read);
}

void TapLink::receive_frames(Burst& burst) noexcept {
  std::span<uint8_t> room = burst.scratch;
  uint32_t units = 0;
  for (uint32_t tries = 0; tries < receive_budget && tap_ && room.size() >= longest_read; ++tries) {
    if (units >= receive_units) return;
    size_t begin = 0;
    const ssize_t got = read_frame(room, begin);
    if (got >= 0) {
      note(Phase::attached);
      units += receive_frame(burst, room.subspan(begin, static_cast<size_t>(got)));
      room = room.subspan(std::min(room.size(), rounded(begin + static_cast<size_t>(got))));
    } else if (is_gone(errno)) {
      lose_device();
    } else if (errno == ENETDOWN) {  // no frame, but that the interface of a packet socket went down
      note(Phase::interface_down);
    } else if (errno == EAGAIN || errno == EFAULT) {  // EFAULT: it is being deleted right now (tun_ring_recv())
      return;
    } else if (errno != EINTR) {  // the frame was taken off the queue and thrown away (tun_put_user())
      burst.drop(reason_of_loss(errno));
    }
  }
}

// How many frames it stands for.
uint32_t TapLink::receive_frame(Burst& burst, std::span<const uint8_t> bytes) noexcept {
  const auto drop = [&](DropReason reason) { return burst.drop(reason), 1; };
  const uint32_t shortest = options_.payload == Payload::ethernet ? ethernet_header : 1;
  if (bytes.size() < VirtioHeader::size + shortest) return drop(DropReason::too_short);
  const std::span<const uint8_t> frame = bytes.subspan(VirtioHeader::size);
  const auto length = static_cast<uint32_t>(frame.size());
  if (options_.payload == Payload::ip && !starts_ip(frame[0])) return drop(DropReason::bad_payload);

  const CheckedOffload checked = check_offload(decode_virtio(bytes.data()), frame, length, options_.payload);
  if (checked.refused) return drop(*checked.refused);
  Frame& received = burst.frames[burst.count++];
  received = Frame{frame.data(), length, length};
  if (!checked.present) return 1;
  burst.offloads[burst.offload_count++] = checked.offload;
  received.offload = static_cast<uint16_t>(burst.offload_count);
  received.units = checked.units;
  return checked.units;
}

bool TapLink::arm() noexcept {
  if (!tap_) return false;
  pollfd tap{.fd = tap_.get(), .events = POLLIN, .revents = 0};
  if (::poll(&tap, 1, 0) <= 0) return false;
  if ((tap.revents & POLLIN) != 0) return true;
  lose_device();
  return false;
}

void TapLink::note(Phase phase) noexcept {
  if (phase_.load(std::memory_order_relaxed) != phase) phase_.store(phase, std::memory_order_relaxed);
}

// A TAP without a device is readable forever (EPOLLERR in tun_chr_poll()), and a worker that sleeps on it would spin.
// So it leaves the epoll set that workers see, and nothing ever wakes them again.
void TapLink::lose_device() noexcept {
  phase_.store(Phase::gone, std::memory_order_relaxed);
  ::epoll_ctl(poll_.get(), EPOLL_CTL_DEL, tap_.get(), nullptr);
  tap_.reset();
}

}  // namespace crosswire

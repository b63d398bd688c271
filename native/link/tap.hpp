// SPDX-License-Identifier: Apache-2.0
// A TAP (payload ethernet) or TUN (payload ip) device in the workload's namespace, the port of a tunnel to another
// node, or any other interface (payload ethernet), which a packet socket uses. The kernel hands over and takes
// unfinished checksums and 64 KiB super-frames, see core/offload.hpp; complete frames of one flow that follow each
// other are handed over as one, see core/coalescer.hpp.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "core/coalescer.hpp"
#include "core/link.hpp"
#include "os/fd.hpp"
#include "os/tunnel_port.hpp"

struct iovec;

namespace crosswire {

class TapLink final : public Link {
 public:
  struct Options {
    std::string name;        // for people: wire/end
    std::string netns;       // path; empty: the current namespace
    std::string interface;   // must exist, see os::create_tun(); of a tunnel: what people are told
    bool is_device = false;  // the interface is no TAP or TUN
    Payload payload = Payload::ethernet;
    uint32_t mtu = 1500;  // of the wire: frames (or segments) whose IP packet is longer are too_big
    std::optional<os::TunnelParameters> tunnel{};  // its port, instead of a device in a namespace
  };

  explicit TapLink(Options options);

  const LinkFacts& facts() const noexcept override { return facts_; }
  LinkState state() const override;

  // Errors: those of os::attach_tun(), os::TunnelPort::open() or os::open_packet_socket().
  Result<> open() override;
  void close() noexcept override;

  // At most 64 frames, or as many as fit into burst.scratch; fewer where they are super-frames.
  void receive(Burst& burst) noexcept override;
  void release() noexcept override {}
  Transmitted transmit(const Burst& burst, uint32_t first, uint32_t count) noexcept override;

  int poll_fd() const noexcept override { return poll_.get(); }
  bool arm() noexcept override;
  void disarm() noexcept override {}  // readiness is level-triggered: nothing to take back

 private:
  //                 open()                   EIO on write, ENETDOWN
  //   closed ───────────────────▶ attached ───────────────▶ interface_down
  //                                  ▲   └──── any success ◀──────┘
  //                                  └─ device deleted (EBADFD, ENXIO) ─▶ gone, until close() and open()
  enum class Phase : uint8_t { closed, attached, interface_down, gone };

  bool uses_packets() const noexcept { return options_.is_device || options_.tunnel.has_value(); }
  Result<os::Fd> attach();
  void receive_frames(Burst& burst) noexcept;
  ssize_t read_frame(std::span<uint8_t> room, size_t& begin) noexcept;
  uint32_t receive_frame(Burst& burst, std::span<const uint8_t> bytes) noexcept;
  std::optional<DropReason> write_frame(const Burst& burst, const Frame& frame) noexcept;
  std::optional<DropReason> write_merged(const Coalescer& run) noexcept;
  Transmitted write_singly(const Burst& burst, uint32_t first, uint32_t count) noexcept;
  std::optional<DropReason> write_parts(const iovec* parts, int count, const Offload* offload) noexcept;
  std::optional<DropReason> refusal(const Burst& burst, const Frame& frame, const Offload* offload) const noexcept;
  DropReason reason_of(int error, const Offload* offload) noexcept;
  void note(Phase phase) noexcept;
  void lose_device() noexcept;

  const Options options_;
  const LinkFacts facts_;
  std::optional<os::TunnelPort> port_;
  os::Fd tap_;              // or the packet socket
  os::Fd poll_;             // an epoll instance that watches tap_ as long as its device exists
  bool merges_udp_ = true;  // until the kernel says no
  std::atomic<Phase> phase_{Phase::closed};
};

}  // namespace crosswire

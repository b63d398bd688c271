// SPDX-License-Identifier: Apache-2.0
// A link to an interface of the kernel, through a frame source: a TAP or TUN device, a packet socket or a tunnel. The
// kernel gives and takes unfinished checksums and 64 KiB super-frames, see core/offload.hpp; adjacent complete frames
// of one flow are written as one super-frame, see core/coalescer.hpp.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/coalescer.hpp"
#include "core/link.hpp"
#include "link/kernel/frame_source.hpp"
#include "os/fd.hpp"

struct iovec;

namespace crosswire {

class KernelLink final : public Link {
 public:
  struct Options {
    std::string name;  // for people: wire/end
    Payload payload = Payload::ethernet;
    uint32_t mtu = 1500;  // of the wire: frames (or segments) whose IP packet is longer are too_big
    SourceRequest source;
  };

  explicit KernelLink(const Options& options);

  const LinkFacts& facts() const noexcept override { return facts_; }
  LinkState state() const override;

  // Errors: those of the source.
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
  //                                  └─ interface deleted (EBADFD, ENXIO) ─▶ gone, until close() and open()
  enum class Phase : uint8_t { closed, attached, interface_down, gone };

  std::optional<DropReason> write_frame(const Burst& burst, const Frame& frame) noexcept;
  std::optional<DropReason> write_merged(const Coalescer& run) noexcept;
  Transmitted write_singly(const Burst& burst, uint32_t first, uint32_t count) noexcept;
  std::optional<DropReason> write_parts(const iovec* parts, int count, const Offload* offload) noexcept;
  std::optional<DropReason> refusal(const Burst& burst, const Frame& frame, const Offload* offload) const noexcept;
  DropReason reason_of(int error, const Offload* offload) noexcept;
  void note(Phase phase) noexcept;
  void lose_interface() noexcept;

  const std::unique_ptr<FrameSource> source_;
  const LinkFacts facts_;
  os::Fd frames_;           // the source's descriptor
  os::Fd poll_;             // an epoll instance that watches frames_ as long as the interface exists
  bool merges_udp_ = true;  // until the kernel says no
  std::atomic<Phase> phase_{Phase::closed};
};

}  // namespace crosswire

// SPDX-License-Identifier: Apache-2.0
// The complete link contract. A link is something frames are received from and sent to.
//
// Threads   open() and close() belong to a control thread; everything else to the one worker that owns the link while
// it
//           is part of a wire. facts() and state() may be called from any thread.
// Bytes     receive() lends views of the source's memory (or of burst.scratch) that stay valid until release() or the
//           next receive() on the same link, whichever comes first. Nobody writes through them. The memory may belong
//           to a hostile peer: it can change between two reads, so read once, check the copy, use the copy.
// Units     lengths in bytes. Frame counts in `units`: a super-frame counts as the frames it stands for.
// Short     transmit() takes frames from the front. Fewer than asked means the frame at `taken` was refused for
//           `reason`; it and those behind it still belong to the caller, who counts them as dropped (after retrying
//           the ones behind it, where the reason concerns one frame only). A link never blocks and never retries.
// Failure   A link that loses its peer stays usable: receive() yields nothing, transmit() refuses with link_down, and
//           the link continues by itself when the peer is back.
// Idle      arm() → check → sleep: arm() requests that poll_fd() becomes readable on the next frame and THEN checks
// once
//           more; it returns true if frames are waiting (do not sleep). poll_fd() also becomes readable when the link
//           needs its worker (a new session): call receive(). Call disarm() before polling again. arm() may be called
//           again on an armed link: it checks once more.
#pragma once

#include <cstdint>
#include <string>

#include "core/burst.hpp"
#include "core/result.hpp"

namespace crosswire {

struct LinkFacts {
  std::string name;
  std::string kind;  // "memory", "memif", "tap", "tun", "device", or the kind of a tunnel
  Payload payload = Payload::ethernet;
  uint32_t max_frame = 0;       // the longest frame transmit() takes, in bytes
  bool takes_offloads = false;  // false: transmit() finishes checksums and segments itself
  // True if a peer may publish a frame without poll_fd() becoming readable (memif senders issue no fence,
  // contract 4.6). A worker then calls arm() on the sleeping link again from time to time.
  bool may_miss_wakeups = false;
};

struct Transmitted {
  uint32_t taken = 0;                       // whole frames delivered, from the front
  DropReason reason = DropReason::tx_full;  // why the frame at `taken` was refused (only if taken < asked)
  uint32_t partial_units = 0;               // of that frame: segments already delivered before the sink was full
  uint64_t partial_bytes = 0;
};

// A snapshot for people, as `describe wire` shows it; the data path never reads it.
struct LinkState {
  bool up = false;
  std::string detail;  // one line: why it is down, or what was negotiated
  std::string peer;    // the peer's own name for itself, control characters removed; "" if unknown
  uint32_t receive_rings = 0;
  uint32_t transmit_rings = 0;
  uint32_t ring_size = 0;    // descriptors
  uint32_t buffer_size = 0;  // bytes, 0 where the peer decides
  uint64_t sessions = 0;     // completed handshakes so far
  uint64_t refused = 0;      // handshakes or sessions ended by a violation
};

class Link {
 public:
  Link() = default;
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  virtual ~Link() = default;

  virtual const LinkFacts& facts() const noexcept = 0;
  virtual LinkState state() const = 0;

  virtual Result<> open() = 0;
  virtual void close() noexcept = 0;  // idempotent; after it, no thread of the link's runs

  // Appends to an empty burst; at most Burst::capacity frames.
  virtual void receive(Burst& burst) noexcept = 0;
  virtual void release() noexcept = 0;
  virtual Transmitted transmit(const Burst& burst, uint32_t first, uint32_t count) noexcept = 0;

  virtual int poll_fd() const noexcept = 0;
  virtual bool arm() noexcept = 0;
  virtual void disarm() noexcept = 0;
};

}  // namespace crosswire

// SPDX-License-Identifier: Apache-2.0
// eventfd(2): a counter that a thread can wait for.
#pragma once

#include "core/result.hpp"
#include "os/fd.hpp"

namespace crosswire::os {

// Non-blocking and close-on-exec.
Result<Fd> make_event_fd();

// Whether a descriptor that a peer sent is an eventfd, according to /proc/self/fd. Writing to anything else would make
// us a confused deputy of the peer.
bool is_event_fd(int fd) noexcept;

// Only for an eventfd of our own that nobody else holds: a write to a shared one can block (memif contract §7.1).
void signal_event_fd(int fd) noexcept;

// Resets the count; true if it was not zero. Never blocks, even if the other holder of the eventfd cleared O_NONBLOCK:
// preadv2(2) with RWF_NOWAIT.
bool drain_event_fd(int fd) noexcept;

}  // namespace crosswire::os

// SPDX-License-Identifier: Apache-2.0
// eventfd(2): a counter that can be waited for.
#pragma once

#include "core/result.hpp"
#include "os/fd.hpp"

namespace crosswire::os {

// Non-blocking and close-on-exec.
Result<Fd> make_event_fd();

// Whether a descriptor that somebody sent us is an eventfd, as /proc/self/fd names it: writing to anything else would
// make us somebody's deputy.
bool is_event_fd(int fd) noexcept;

// Only for an eventfd of our own that nobody else holds: a write to a shared one can block (memif contract §7.1).
void signal_event_fd(int fd) noexcept;

// Takes the count away; true if there was one. Never blocks, even if the other holder of the eventfd cleared
// O_NONBLOCK: preadv2(2) with RWF_NOWAIT.
bool drain_event_fd(int fd) noexcept;

}  // namespace crosswire::os

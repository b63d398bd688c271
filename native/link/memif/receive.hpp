// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/burst.hpp"
#include "link/memif/session.hpp"

namespace crosswire::memif {

// Appends views of waiting frames to the burst, round-robin over the rings. Their slots stay ours until return_slots().
// Whatever the peer wrote, a call processes at most a bounded number of slots.
void receive_burst(Session& session, Burst& burst) noexcept;
void return_slots(Session& session) noexcept;

// Whether a frame waits in any ring.
bool frames_waiting(Session& session) noexcept;

// Client role, at CONNECTED: offers every slot of the receive rings.
void offer_all_slots(Session& session) noexcept;

}  // namespace crosswire::memif

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/link.hpp"
#include "link/memif/doorbell.hpp"
#include "link/memif/session.hpp"

namespace crosswire::memif {

// Copies frames into the peer's slots as Link::transmit() specifies, publishes once per ring, and rings the doorbells
// of sleeping peers. With several rings, a hash of a frame's addresses selects the ring, so that no flow is reordered.
Transmitted transmit_burst(Session& session, const Burst& burst, uint32_t first, uint32_t count,
                           Notifier& notifier) noexcept;

}  // namespace crosswire::memif

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "core/burst.hpp"

namespace crosswire::memif {

// Equal for all frames of a flow: over the MAC addresses (payload ethernet) and, behind any VLAN tags, the IP
// addresses. Ports are left out, so that the fragments of a packet stay behind it.
uint32_t flow_hash(const Burst& burst, const Frame& frame, Payload payload) noexcept;

}  // namespace crosswire::memif

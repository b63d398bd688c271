// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "core/burst.hpp"

namespace crosswire::memif {

// Equal for all frames of a flow: a hash of the MAC addresses (payload ethernet) and, after any VLAN tags, the IP
// addresses. Ports are not part of it, so that the fragments of a packet are not reordered.
uint32_t flow_hash(const Burst& burst, const Frame& frame, Payload payload) noexcept;

}  // namespace crosswire::memif

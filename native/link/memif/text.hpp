// SPDX-License-Identifier: Apache-2.0
// Text that a peer wrote, and secrets (memif contract §7.1).
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "link/memif/message.hpp"

namespace crosswire::memif {

// Up to the first NUL or the end of the field; anything but printable ASCII becomes '?', so that it can be logged.
std::string clean_text(std::span<const char> field);

// Takes the same time for a wrong secret as for the right one.
bool same_secret(const char (&offered)[secret_size], std::string_view wanted);

}  // namespace crosswire::memif

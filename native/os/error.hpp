// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/result.hpp"

namespace crosswire::os {

// The Error of a failed system call: `reason` is errno's text, `errno_value` its number.
Error system_error(std::string code, std::string operation, std::string subject, int errno_value);

}  // namespace crosswire::os

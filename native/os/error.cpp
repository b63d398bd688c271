// SPDX-License-Identifier: Apache-2.0
#include "os/error.hpp"

#include <cstring>

namespace crosswire::os {

Error system_error(std::string code, std::string operation, std::string subject, int errno_value) {
  char text[128];
  // The GNU strerror_r(3): returns the text, which need not be in the buffer.
  return Error{std::move(code), std::move(operation), std::move(subject), strerror_r(errno_value, text, sizeof text),
               errno_value};
}

}  // namespace crosswire::os

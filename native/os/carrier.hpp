// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace crosswire::os {

// Makes the kernel notice now that an interface of the calling thread's namespace has a carrier. Until its link watch
// has run, in its own time, an interface that is up throws away what it is given to send, and IPv6 is not ready on it.
// Asking for the carrier makes it run (linkwatch_sync_dev() in ethtool_op_get_link(), Linux 6.8; before, the question
// changes nothing).
void settle_carrier(const std::string& name);

}  // namespace crosswire::os

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace crosswire::os {

// Makes the kernel notice now that an interface of the calling thread's namespace has a carrier. Until the kernel's
// link watch has run, which it does asynchronously, the interface drops what it should send, and IPv6 is not ready on
// it. A query for the carrier runs the link watch (linkwatch_sync_dev() in ethtool_op_get_link(), since Linux 6.8; on
// older kernels the query has no effect).
void settle_carrier(const std::string& name);

}  // namespace crosswire::os

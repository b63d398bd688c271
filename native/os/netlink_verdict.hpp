// SPDX-License-Identifier: Apache-2.0
// The kernel's acknowledgement in words. Only netlink.cpp needs it.
#pragma once

#include "os/netlink.hpp"

namespace crosswire::os {

Verdict verdict_of_errno(int errno_value);

// `answer` is an NLMSG_ERROR, or the NLMSG_DONE of a dump, to `request`.
Verdict verdict_of(const nlmsghdr* answer, const nlmsghdr* request);

}  // namespace crosswire::os

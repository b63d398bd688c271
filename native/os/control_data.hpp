// SPDX-License-Identifier: Apache-2.0
// Descriptors beside the data of a unix socket (SCM_RIGHTS, unix(7); cmsg(3)).
#pragma once

#include <sys/socket.h>

#include <array>
#include <vector>

#include "os/fd.hpp"

namespace crosswire::os {

// Room for one descriptor to send. It must outlive the sendmsg(2).
struct OutgoingFd {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  // A negative fd sends no descriptor.
  void attach(msghdr& message, int fd) noexcept;
};

// Takes all descriptors that came with a message.
void take_fds(msghdr& message, std::vector<Fd>& fds);

}  // namespace crosswire::os

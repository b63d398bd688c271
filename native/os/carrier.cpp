// SPDX-License-Identifier: Apache-2.0
#include "os/carrier.hpp"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "os/fd.hpp"

namespace crosswire::os {

void settle_carrier(const std::string& name) {
  const Fd any(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ethtool_value carrier{.cmd = ETHTOOL_GLINK, .data = 0};
  ifreq question{};
  std::memcpy(question.ifr_name, name.data(), std::min(name.size(), sizeof question.ifr_name - 1));
  question.ifr_data = reinterpret_cast<char*>(&carrier);
  ::ioctl(any.get(), SIOCETHTOOL, &question);
}

}  // namespace crosswire::os

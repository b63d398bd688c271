// SPDX-License-Identifier: Apache-2.0
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cerrno>

#include "os/interface_read.hpp"
#include "os/virtual_function.hpp"

namespace crosswire::os {

namespace {

class Editor {
 public:
  Editor(NetlinkSocket& socket, InterfaceReference physical_function, uint32_t index)
      : socket_(socket), physical_function_(std::move(physical_function)), index_(index) {}

  template <class Structure>
  Result<> set(uint16_t attribute, const Structure& value, const std::string& words) {
    NetlinkMessage message(RTM_SETLINK, 0, ifinfomsg{});
    message.put_text(IFLA_IFNAME, physical_function_.name);
    encode_virtual_function(message, attribute, &value, sizeof value);
    const auto verdict = socket_.request(message);
    if (verdict.accepted()) return Done{};
    auto error = refusal(verdict, "VF_REFUSED", "set " + words, subject());
    if (verdict.errno_value == EOPNOTSUPP) error.reason += "; the driver of the physical function does not have it";
    return error;
  }

 private:
  std::string subject() const { return "VF " + std::to_string(index_) + " of " + describe(physical_function_); }

  NetlinkSocket& socket_;
  InterfaceReference physical_function_;
  uint32_t index_;
};

ifla_vf_mac mac_of(uint32_t index, const MacAddress& address) {
  ifla_vf_mac value{index, {}};
  std::copy(address.begin(), address.end(), value.mac);
  return value;
}

std::string on_off(bool setting) { return setting ? " on" : " off"; }

}  // namespace

void encode_virtual_function(NetlinkMessage& message, uint16_t attribute, const void* value, size_t size) {
  auto* list = message.open_nest(IFLA_VFINFO_LIST);
  auto* function = message.open_nest(IFLA_VF_INFO);
  message.put_bytes(attribute, value, size);
  message.close_nest(function);
  message.close_nest(list);
}

Result<> change_virtual_function(const InterfaceReference& physical_function, uint32_t index,
                                 const VirtualFunctionChange& change) {
  auto socket = NetlinkSocket::open(physical_function.netns);
  if (!socket) return std::move(socket).error();
  Editor editor(socket.value(), physical_function, index);
  Result<> done = Done{};
  if (change.mac) {
    done = editor.set(IFLA_VF_MAC, mac_of(index, *change.mac), "MAC address " + to_text(*change.mac));
  }
  if (done && change.vlan) {
    const ifla_vf_vlan tag{index, *change.vlan, change.quality_of_service};
    done = editor.set(IFLA_VF_VLAN, tag, "VLAN " + std::to_string(*change.vlan));
  }
  if (done && change.spoof_check) {
    const ifla_vf_spoofchk check{index, *change.spoof_check};
    done = editor.set(IFLA_VF_SPOOFCHK, check, "spoof check" + on_off(*change.spoof_check));
  }
  if (done && change.trust) {
    const ifla_vf_trust trust{index, *change.trust};
    done = editor.set(IFLA_VF_TRUST, trust, "trust" + on_off(*change.trust));
  }
  if (done && change.highest_rate) {
    // IFLA_VF_TX_RATE leaves the lowest rate unchanged; IFLA_VF_RATE would set it, too.
    const ifla_vf_tx_rate rate{index, *change.highest_rate};
    done = editor.set(IFLA_VF_TX_RATE, rate, "highest rate " + std::to_string(*change.highest_rate) + " Mbit/s");
  }
  return done;
}

}  // namespace crosswire::os

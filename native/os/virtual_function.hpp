// SPDX-License-Identifier: Apache-2.0
// Reads and changes what the driver of a physical function knows of its virtual functions (rtnetlink, IFLA_VFINFO_LIST
// in linux/if_link.h). All requests go to the interface of the physical function, wherever the VF itself is.
//
// Errors, beside those of os/interface.hpp:
//   VF_REFUSED   the driver refuses an attribute of a virtual function, or does not have it
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/result.hpp"
#include "os/interface.hpp"
#include "os/netlink_message.hpp"

namespace crosswire::os {

// As the PF counts: rx is what the VF received.
struct VirtualFunctionStatistics {
  uint64_t rx_packets = 0, tx_packets = 0, rx_bytes = 0, tx_bytes = 0;
  uint64_t rx_dropped = 0, tx_dropped = 0;
  bool operator==(const VirtualFunctionStatistics&) const = default;
};

enum class VirtualFunctionLink : uint8_t { automatic, up, down };

// Absent: the driver does not say.
struct VirtualFunctionInfo {
  uint32_t index = 0;  // N of the PF's virtfnN
  std::optional<MacAddress> mac;
  std::optional<uint16_t> vlan;  // 0: none
  std::optional<uint8_t> quality_of_service;
  std::optional<bool> trust, spoof_check;
  std::optional<VirtualFunctionLink> link;
  std::optional<uint32_t> lowest_rate, highest_rate;    // Mbit/s; 0: no bound
  std::optional<VirtualFunctionStatistics> statistics;  // zeros if the driver has none
};

Result<std::vector<VirtualFunctionInfo>> read_virtual_functions(const InterfaceReference& physical_function);

struct VirtualFunctionChange {
  std::optional<MacAddress> mac;
  std::optional<uint16_t> vlan;
  uint8_t quality_of_service = 0;  // set together with the VLAN
  std::optional<bool> spoof_check, trust;
  std::optional<uint32_t> highest_rate;
};
// One request for each attribute, in the order above, so that the error's operation names the refused one. Attributes
// set before it stay set.
Result<> change_virtual_function(const InterfaceReference& physical_function, uint32_t index,
                                 const VirtualFunctionChange& change);

// For tests: the attributes of an RTM_NEWLINK. What is cut short or makes no sense counts as absent.
std::vector<VirtualFunctionInfo> decode_virtual_functions(const Attributes& link);
// For tests: puts an IFLA_VFINFO_LIST with one attribute of one virtual function.
void encode_virtual_function(NetlinkMessage& message, uint16_t attribute, const void* value, size_t size);

}  // namespace crosswire::os

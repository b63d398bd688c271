// SPDX-License-Identifier: Apache-2.0
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <cerrno>

#include "os/interface_read.hpp"
#include "os/virtual_function.hpp"

namespace crosswire::os {

namespace {

// The structures begin with the number of the VF. For most settings that a driver does not report, the kernel answers
// all ones (rtnl_fill_vfinfo() in net/core/rtnetlink.c).
constexpr uint32_t not_said = ~0U;

template <class Structure>
std::optional<Structure> read(const Attributes& attributes, uint16_t type) {
  Structure value;
  const auto* attribute = attributes.find(type);
  if (attribute == nullptr || payload_size(attribute) < sizeof value) return std::nullopt;
  std::memcpy(&value, payload_of(attribute), sizeof value);
  return value;
}

std::optional<bool> switch_of(uint32_t setting) {
  return setting == not_said ? std::nullopt : std::optional(setting != 0);
}

std::optional<VirtualFunctionLink> link_of(uint32_t state) {
  switch (state) {
    case IFLA_VF_LINK_STATE_AUTO:
      return VirtualFunctionLink::automatic;
    case IFLA_VF_LINK_STATE_ENABLE:
      return VirtualFunctionLink::up;
    case IFLA_VF_LINK_STATE_DISABLE:
      return VirtualFunctionLink::down;
    default:
      return std::nullopt;
  }
}

std::optional<VirtualFunctionStatistics> statistics_in(const Attributes& attributes) {
  const auto counters = attributes.nest(IFLA_VF_STATS);
  if (!counters) return std::nullopt;
  const auto value = [&](uint16_t type) { return counters->u64(type).value_or(0); };
  return VirtualFunctionStatistics{value(IFLA_VF_STATS_RX_PACKETS), value(IFLA_VF_STATS_TX_PACKETS),
                                   value(IFLA_VF_STATS_RX_BYTES),   value(IFLA_VF_STATS_TX_BYTES),
                                   value(IFLA_VF_STATS_RX_DROPPED), value(IFLA_VF_STATS_TX_DROPPED)};
}

std::optional<VirtualFunctionInfo> decode_one(const Attributes& attributes) {
  const auto mac = read<ifla_vf_mac>(attributes, IFLA_VF_MAC);
  if (!mac) return std::nullopt;
  VirtualFunctionInfo info;
  info.index = mac->vf;
  info.mac = MacAddress{mac->mac[0], mac->mac[1], mac->mac[2], mac->mac[3], mac->mac[4], mac->mac[5]};
  if (const auto tag = read<ifla_vf_vlan>(attributes, IFLA_VF_VLAN); tag && tag->vlan < 4096 && tag->qos < 8) {
    info.vlan = static_cast<uint16_t>(tag->vlan);
    info.quality_of_service = static_cast<uint8_t>(tag->qos);
  }
  if (const auto trust = read<ifla_vf_trust>(attributes, IFLA_VF_TRUST)) info.trust = switch_of(trust->setting);
  if (const auto check = read<ifla_vf_spoofchk>(attributes, IFLA_VF_SPOOFCHK)) {
    info.spoof_check = switch_of(check->setting);
  }
  if (const auto link = read<ifla_vf_link_state>(attributes, IFLA_VF_LINK_STATE)) {
    info.link = link_of(link->link_state);
  }
  if (const auto rate = read<ifla_vf_rate>(attributes, IFLA_VF_RATE)) {
    info.lowest_rate = rate->min_tx_rate;
    info.highest_rate = rate->max_tx_rate;
  }
  info.statistics = statistics_in(attributes);
  return info;
}

struct Answer {
  std::vector<VirtualFunctionInfo> functions;
  uint32_t expected = 0;
};

Verdict ask(NetlinkSocket& socket, const std::string& name, uint32_t filter, Answer& answer) {
  NetlinkMessage message(RTM_GETLINK, 0, ifinfomsg{});
  message.put_text(IFLA_IFNAME, name);
  message.put_u32(IFLA_EXT_MASK, filter);
  return socket.request(message, [&](const nlmsghdr* received) {
    if (received->nlmsg_type != RTM_NEWLINK) return;
    const Attributes link(received, sizeof(ifinfomsg));
    answer = {decode_virtual_functions(link), link.u32(IFLA_NUM_VF).value_or(0)};
  });
}

}  // namespace

std::vector<VirtualFunctionInfo> decode_virtual_functions(const Attributes& link) {
  std::vector<VirtualFunctionInfo> functions;
  const auto list = link.nest(IFLA_VFINFO_LIST);
  if (!list) return functions;
  list->each(IFLA_VF_INFO, [&](const Attributes& attributes) {
    if (auto info = decode_one(attributes)) functions.push_back(std::move(*info));
  });
  return functions;
}

Result<std::vector<VirtualFunctionInfo>> read_virtual_functions(const InterfaceReference& physical_function) {
  auto socket = NetlinkSocket::open(physical_function.netns);
  if (!socket) return std::move(socket).error();
  socket.value().expect_long_answers();
  Answer answer;
  auto verdict = ask(socket.value(), physical_function.name, RTEXT_FILTER_VF, answer);
  // The list is one attribute of at most 64 KiB: about two hundred VFs with their counters, twice as many without.
  if (verdict.errno_value == EMSGSIZE || answer.functions.size() < answer.expected) {
    verdict = ask(socket.value(), physical_function.name, RTEXT_FILTER_VF | RTEXT_FILTER_SKIP_STATS, answer);
  }
  if (verdict.accepted()) return std::move(answer.functions);
  return refusal(verdict, "NETLINK_FAILED", "read virtual functions", describe(physical_function));
}

}  // namespace crosswire::os

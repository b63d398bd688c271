// SPDX-License-Identifier: Apache-2.0
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <map>
#include <unordered_map>

#include "os/interface_read.hpp"

namespace crosswire::os {

namespace {

using Answers = std::vector<std::optional<InterfaceStatistics>>;
using RowsByIndex = std::unordered_map<uint32_t, std::vector<size_t>>;

// For this many interfaces or more, one dump of the namespace is cheaper than single requests: 0.5 µs for each
// interface that exists, as opposed to 3.4 µs for each that is asked for.
constexpr size_t worth_a_dump = 64;

bool is_gone(const Error& error) {
  return error.code == "INTERFACE_MISSING" || error.code == "NAMESPACE_MISSING" || error.code == "NAMESPACE_INVALID";
}

// By ioctl (netdevice(7)): it takes a tenth of the time of a netlink request by name, whose answer has all attributes.
RowsByIndex find_indices(const NetlinkSocket& socket, const std::vector<InterfaceReference>& asked,
                         const std::vector<size_t>& rows) {
  RowsByIndex found;
  for (const size_t row : rows) {
    ifreq request{};
    if (asked[row].name.size() >= sizeof request.ifr_name) continue;
    asked[row].name.copy(request.ifr_name, sizeof request.ifr_name - 1);
    if (::ioctl(socket.descriptor(), SIOCGIFINDEX, &request) == 0) {
      found[static_cast<uint32_t>(request.ifr_ifindex)].push_back(row);
    }
  }
  return found;
}

if_stats_msg header_for(uint32_t index) {
  if_stats_msg header{};
  header.ifindex = index;
  header.filter_mask = IFLA_STATS_FILTER_BIT(IFLA_STATS_LINK_64);
  return header;
}

void keep(const nlmsghdr* answer, RowsByIndex& wanted, Answers& answers) {
  if (answer->nlmsg_type != RTM_NEWSTATS) return;
  const auto* header = reinterpret_cast<const if_stats_msg*>(payload_of(answer));
  const auto found = wanted.find(header->ifindex);
  if (found == wanted.end()) return;
  const auto statistics = statistics_of(Attributes(answer, sizeof *header).find(IFLA_STATS_LINK_64));
  if (!statistics) return;
  for (const size_t row : found->second) answers[row] = statistics;
  wanted.erase(found);
}

// The statistics of asked[i] for each i of `rows`, which are all of one namespace.
Result<> read_rows(const std::vector<InterfaceReference>& asked, const std::vector<size_t>& rows, Answers& answers) {
  const auto& netns = asked[rows.front()].netns;
  auto socket = NetlinkSocket::open(netns);
  if (!socket) return std::move(socket).error();
  auto wanted = find_indices(socket.value(), asked, rows);
  const auto visit = [&](const nlmsghdr* answer) { keep(answer, wanted, answers); };
  if (wanted.size() >= worth_a_dump) {
    NetlinkMessage message(RTM_GETSTATS, 0, header_for(0));
    // A dump may be inconsistent while interfaces come and go; what it lacks is requested below.
    (void)socket.value().dump(
        message, [] {}, visit);
  }
  std::vector<uint32_t> left;
  for (const auto& [index, _] : wanted) left.push_back(index);
  for (const auto index : left) {
    NetlinkMessage message(RTM_GETSTATS, 0, header_for(index));
    const auto verdict = socket.value().request(message, visit);
    if (!verdict.accepted() && verdict.errno_value != ENODEV) {
      return refusal(verdict, "NETLINK_FAILED", "read statistics", netns);
    }
  }
  return Done{};
}

}  // namespace

Result<Answers> read_statistics(const std::vector<InterfaceReference>& asked) {
  std::map<std::string, std::vector<size_t>> rows_by_namespace;
  for (size_t row = 0; row < asked.size(); ++row) rows_by_namespace[asked[row].netns].push_back(row);
  Answers answers(asked.size());
  for (const auto& [netns, rows] : rows_by_namespace) {
    auto done = read_rows(asked, rows, answers);
    if (!done && !is_gone(done.error())) return std::move(done).error();
  }
  return answers;
}

}  // namespace crosswire::os

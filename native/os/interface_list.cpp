// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>

#include "os/interface_read.hpp"

namespace crosswire::os {

namespace {

Result<std::vector<InterfaceInfo>> read_named(NetlinkSocket& socket, const InterfaceQuery& query) {
  std::vector<InterfaceInfo> links;
  for (const auto& name : query.names) {
    auto link = read_link(socket, {query.netns, name});
    if (link) {
      links.push_back(std::move(link).value());
    } else if (link.error().code != "INTERFACE_MISSING") {
      return std::move(link).error();
    }
  }
  return links;
}

Result<std::vector<InterfaceInfo>> read_matching(NetlinkSocket& socket, const InterfaceQuery& query) {
  if (!query.alias_prefix) return read_named(socket, query);
  return read_links(socket, query.netns, [&](const InterfaceInfo& link) {
    return link.alias.starts_with(*query.alias_prefix) ||
           std::find(query.names.begin(), query.names.end(), link.name) != query.names.end();
  });
}

using OptionalStatistics = std::optional<InterfaceStatistics>;

bool is_gone(const Error& error) {
  return error.code == "INTERFACE_MISSING" || error.code == "NAMESPACE_MISSING" || error.code == "NAMESPACE_INVALID";
}

// The statistics of asked[i] for each i of `rows`, which are all of one namespace.
Result<> read_rows(const std::vector<InterfaceReference>& asked, const std::vector<size_t>& rows,
                   std::vector<OptionalStatistics>& answers) {
  auto socket = NetlinkSocket::open(asked[rows.front()].netns);
  if (!socket) return std::move(socket).error();
  for (const size_t row : rows) {
    auto link = read_link(socket.value(), asked[row]);
    if (link) {
      answers[row] = link.value().statistics;
    } else if (!is_gone(link.error())) {
      return std::move(link).error();
    }
  }
  return Done{};
}

}  // namespace

Result<std::vector<InterfaceInfo>> list_interfaces(const InterfaceQuery& query) {
  auto socket = NetlinkSocket::open(query.netns);
  if (!socket) return std::move(socket).error();
  auto links = read_matching(socket.value(), query);
  if (!links || !query.details) return links;
  auto details = read_details(socket.value(), query.netns, links.value());
  if (!details) return std::move(details).error();
  return links;
}

Result<std::vector<OptionalStatistics>> read_statistics(const std::vector<InterfaceReference>& asked) {
  std::map<std::string, std::vector<size_t>> rows_by_namespace;
  for (size_t row = 0; row < asked.size(); ++row) rows_by_namespace[asked[row].netns].push_back(row);
  std::vector<OptionalStatistics> answers(asked.size());
  for (const auto& [netns, rows] : rows_by_namespace) {
    auto done = read_rows(asked, rows, answers);
    if (!done && !is_gone(done.error())) return std::move(done).error();
  }
  return answers;
}

}  // namespace crosswire::os

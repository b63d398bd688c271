// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "os/carrier.hpp"
#include "os/interface_edit.hpp"
#include "os/netns.hpp"

namespace crosswire::os {

namespace {

template <class Step, class Items>
Result<> each(InterfaceEdit& edit, const Items& items, Step step) {
  for (const auto& item : items) {
    auto done = step(edit, item);
    if (!done) return done;
  }
  return Done{};
}

template <class Item>
std::vector<Item> without(std::vector<Item> items, const std::vector<Item>& removed) {
  std::erase_if(items,
                [&](const Item& item) { return std::find(removed.begin(), removed.end(), item) != removed.end(); });
  return items;
}

// Restores what the kernel removed together with an address: the other IPv4 addresses of a subnet with its first one,
// and all routes of the interface with its last one (devinet.c, fib_frontend.c).
Result<> restore_addresses(InterfaceEdit& edit, const InterfaceChange& change) {
  if (change.remove_addresses.empty()) return Done{};
  return each(edit, without(edit.before.addresses, change.remove_addresses), add_address);
}

Result<> restore_routes(InterfaceEdit& edit, const InterfaceChange& change) {
  const bool up = change.up.value_or(edit.before.up);
  if (change.remove_addresses.empty() || !up) return Done{};
  return each(edit, without(edit.before.routes, change.remove_routes), add_route);
}

Result<> apply(InterfaceEdit& edit, const InterfaceChange& change) {
  Result<> done = each(edit, change.remove_neighbours, remove_neighbour);
  if (done) done = each(edit, change.remove_routes, remove_route);
  if (done) done = each(edit, change.remove_addresses, remove_address);
  if (done) done = restore_addresses(edit, change);
  if (done && change.rename) done = rename(edit, *change.rename);
  if (done && change.mtu) done = set_mtu(edit, *change.mtu);
  if (done && change.mac) done = set_mac(edit, *change.mac);
  if (done && change.allow_ping) done = allow_ping(edit);
  if (done) done = each(edit, change.add_addresses, add_address);
  if (done && change.up) done = set_up(edit, *change.up);
  if (done) done = restore_routes(edit, change);
  if (done) done = each(edit, change.add_routes, add_route);
  if (done) done = each(edit, change.add_neighbours, add_neighbour);
  if (done && change.policies) done = set_policies(edit, *change.policies);
  return done;
}

void roll_back(InterfaceEdit& edit) {
  auto undo = std::move(edit.undo);
  edit.undo.clear();
  for (auto step = undo.rbegin(); step != undo.rend(); ++step) (*step)();
  // Restore what the kernel dropped together with a step; adding what still exists is a success.
  for (const auto& address : edit.before.addresses) (void)add_address(edit, address);
  for (const auto& route : edit.before.routes) (void)add_route(edit, route);
}

bool only_removes(const InterfaceChange& change) {
  return !change.rename && !change.mtu && !change.mac && !change.up.value_or(false) && change.add_addresses.empty() &&
         change.add_routes.empty() && change.add_neighbours.empty() && !change.allow_ping &&
         (!change.policies || change.policies->empty());
}

}  // namespace

Result<> change_interface(const InterfaceChange& change) {
  auto socket = NetlinkSocket::open(change.interface.netns);
  if (!socket) return std::move(socket).error();
  auto link = read_own_link(socket.value(), change.interface, change.alias, "change interface");
  if (!link && link.error().code == "INTERFACE_MISSING" && only_removes(change)) return Done{};
  if (!link) return std::move(link).error();
  std::vector<InterfaceInfo> before{std::move(link).value()};
  // An interface that is down has no routes to lose, and looking for them would cost a walk through those of all
  // others.
  auto details = before.front().up ? read_details(socket.value(), change.interface.netns, before)
                                   : read_addresses(socket.value(), change.interface.netns, before);
  if (!details) return details;

  InterfaceEdit edit{socket.value(), change.interface, std::move(before.front())};
  auto done = apply(edit, change);
  if (!done) {
    roll_back(edit);
  } else if (change.up.value_or(false)) {
    const auto inside = NamespaceGuard::enter(change.interface.netns);
    if (inside) settle_carrier(edit.interface.name);
  }
  return done;
}

}  // namespace crosswire::os

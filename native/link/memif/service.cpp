// SPDX-License-Identifier: Apache-2.0
#include "link/memif/service.hpp"

#include <utility>

#include "os/netns.hpp"

namespace crosswire::memif {

Service::~Service() {
  loop_.stop();
  notifier_.stop();
}

Result<> Service::start() {
  const std::lock_guard lock(start_mutex_);
  if (started_) return Done{};
  if (auto ready = notifier_.start(); !ready) return ready;
  auto ready = loop_.start("memif", [this] {
    for (auto& [attachment, connector] : connectors_) attachment->reap();
    for (auto& [attachment, address] : servers_) attachment->reap();
  });
  if (!ready) {
    notifier_.stop();
    return ready;
  }
  started_ = true;
  return Done{};
}

// A path names the same socket from every network namespace (unix(7)); an abstract name does not.
Result<Service::Address> Service::address_of(const Options& options) {
  if (!options.socket.starts_with('@')) return Address{options.socket, 0, 0};
  auto identity = os::identify_namespace(options.netns.empty() ? "/proc/thread-self/ns/net" : options.netns);
  if (!identity) return std::move(identity).error();
  return Address{options.socket, identity.value().device, identity.value().inode};
}

Result<> Service::attach(Attachment& attachment) {
  if (auto ready = start(); !ready) return ready;
  Result<> outcome = Done{};
  loop_.run([&] {
    outcome = attachment.options.role == Role::server ? attach_server(attachment) : attach_client(attachment);
  });
  return outcome;
}

Result<> Service::open(Proxy& proxy) {
  if (auto ready = start(); !ready) return ready;
  Result<> outcome = Done{};
  loop_.run([&] { outcome = proxy.open(loop_); });
  return outcome;
}

void Service::close(Proxy& proxy) noexcept {
  loop_.run([&] { proxy.close(); });
}

Result<> Service::attach_client(Attachment& attachment) {
  os::Fd netns;
  if (!attachment.options.netns.empty()) {
    auto opened = os::open_namespace(attachment.options.netns);
    if (!opened) return std::move(opened).error();
    netns = std::move(opened).value();
  }
  connectors_.emplace(&attachment, std::make_unique<Connector>(loop_, limits_, attachment, std::move(netns)));
  return Done{};
}

Result<> Service::attach_server(Attachment& attachment) {
  auto address = address_of(attachment.options);
  if (!address) return std::move(address).error();
  auto& listener = listeners_[address.value()];
  if (!listener) {
    auto fresh = std::make_unique<Listener>(loop_, limits_);
    if (auto opened = fresh->open(attachment.options.socket, attachment.options.netns); !opened) {
      listeners_.erase(address.value());
      return opened;
    }
    listener = std::move(fresh);
  }
  if (auto added = listener->add(attachment); !added) return added;
  servers_.emplace(&attachment, address.value());
  return Done{};
}

void Service::detach_server(Attachment& attachment) {
  const auto server = servers_.extract(&attachment);
  if (server.empty()) return;
  const auto listener = listeners_.find(server.mapped());
  listener->second->remove(attachment);
  if (listener->second->empty()) listeners_.erase(listener);
}

void Service::detach(Attachment& attachment) noexcept {
  loop_.run([&] {
    connectors_.erase(&attachment);
    detach_server(attachment);
    attachment.abandon_sessions();
  });
}

}  // namespace crosswire::memif

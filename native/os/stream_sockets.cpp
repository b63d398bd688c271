// SPDX-License-Identifier: Apache-2.0
#include "os/stream_sockets.hpp"

#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <utility>

#include "os/error.hpp"

namespace crosswire::os {
namespace {

constexpr int backlog = 256;
constexpr size_t step_size = 65536;
constexpr uint64_t exhausted_ns = 100'000'000;  // no descriptors left: wait before the next accept
constexpr uint64_t linger_ns = 10'000'000'000;  // for the peer to take the last bytes
constexpr uint32_t every_edge = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;

std::atomic<uint64_t> last_id{0};

// Half of the descriptors that the process may open, so that all peers together cannot use up the rest.
size_t descriptors_for_peers() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return SocketBridge::most_descriptors;
  return static_cast<size_t>(limit.rlim_cur / 2);
}

Error closed(const char* operation, const std::string& subject) {
  return Error{"SOCKET_CLOSED", operation, subject, "the connection is closed", 0};
}

}  // namespace

Result<> StreamSockets::start() {
  const std::lock_guard lock(mutex_);
  if (closed_) return closed("use unix sockets", "");
  if (started_) return Done{};
  if (auto ready = loop_.start("sockets", [] {}); !ready) return ready;
  quota_ = std::make_unique<DescriptorQuota>(descriptors_for_peers());
  scratch_.resize(step_size);
  started_ = true;
  return Done{};
}

Result<uint64_t> StreamSockets::listen(const std::string& path) {
  const std::lock_guard lock(changes_);
  if (auto ready = start(); !ready) return std::move(ready).error();
  auto listening = listen_unix(SocketType::bytes, path, backlog);
  if (!listening) return std::move(listening).error();
  const uint64_t id = ++last_id;
  loop_.run([&] {
    listeners_[id].socket = std::move(listening).value();
    watch_listener(id);
  });
  return id;
}

void StreamSockets::close_listener(uint64_t id) {
  const std::lock_guard lock(changes_);
  if (!start()) return;
  loop_.run([&] {
    const auto found = listeners_.find(id);
    if (found == listeners_.end()) return;
    loop_.cancel(found->second.retry);
    loop_.unwatch(found->second.socket.fd.get(), found->second.watch);
    remove_socket_file(found->second.socket);
    listeners_.erase(found);
  });
}

void StreamSockets::watch_listener(uint64_t id) {
  Listener& listener = listeners_.at(id);
  listener.retry = 0;
  listener.watch = loop_.watch(listener.socket.fd.get(), EPOLLIN, [this, id] { accept_all(id); });
}

void StreamSockets::accept_all(uint64_t id) {
  Listener& listener = listeners_.at(id);
  for (int turn = 0; turn < backlog; turn++) {
    Accepted accepted = accept_unix(listener.socket.fd.get());
    if (accepted.exhausted) {
      loop_.unwatch(listener.socket.fd.get(), std::exchange(listener.watch, 0));
      listener.retry = loop_.after(exhausted_ns, [this, id] { watch_listener(id); });
    }
    if (!accepted.fd) return;
    auto made = bridge(std::move(accepted.fd));
    if (!made) continue;
    events_.accepted(id, made.value().connection, std::move(made.value().inner));
    begin(made.value().connection);
  }
}

Result<StreamSockets::Dialled> StreamSockets::dial(const std::string& path) {
  const std::lock_guard lock(changes_);
  if (auto ready = start(); !ready) return std::move(ready).error();
  auto outer = connect_unix(SocketType::bytes, path);
  if (!outer) return std::move(outer).error();
  auto made = bridge(std::move(outer).value());
  if (made) loop_.run([&] { begin(made.value().connection); });
  return made;
}

Result<StreamSockets::Dialled> StreamSockets::bridge(Fd outer) {
  const char* operation = "bridge a unix socket";
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0) {
    return system_error("SOCKET_FAILED", operation, "", errno);
  }
  Fd inner(pair[0]);
  Fd theirs(pair[1]);
  const ConnectionId id = ++last_id;
  const auto on_file = [this, id](const std::string& url) { events_.file(id, url); };
  const std::lock_guard lock(mutex_);
  if (connections_.size() >= most_connections) {
    return Error{"SOCKET_FAILED", operation, "", "there are too many connections already", 0};
  }
  connections_.emplace(
      id, std::shared_ptr<Connection>(new Connection{{std::move(outer), std::move(inner), *quota_, on_file}}));
  return Dialled{id, std::move(theirs)};
}

void StreamSockets::begin(ConnectionId id) {
  const auto connection = find(id);
  connection->outer_watch = loop_.watch(connection->bridge.outer(), every_edge, [this, id] { pump(id); });
  connection->inner_watch = loop_.watch(connection->bridge.inner(), every_edge, [this, id] { pump(id); });
  if (connection->outer_watch == 0 || connection->inner_watch == 0) end(id);
}

void StreamSockets::pump(ConnectionId id) {
  auto connection = find(id);
  if (!connection) return;
  loop_.cancel(std::exchange(connection->again, 0));
  switch (connection->bridge.pump(scratch_)) {
    case SocketBridge::Progress::waiting:
      break;
    case SocketBridge::Progress::more:
      connection->again = loop_.after(0, [this, id] { pump(id); });
      break;
    case SocketBridge::Progress::lingering:
      if (connection->linger == 0) connection->linger = loop_.after(linger_ns, [this, id] { end(id); });
      break;
    case SocketBridge::Progress::ended:
      connection.reset();
      end(id);
      break;
  }
}

// Reported after its descriptors are closed, unless another thread is using it at that moment.
void StreamSockets::end(ConnectionId id) {
  auto connection = find(id);
  if (!connection) return;
  loop_.cancel(connection->again);
  loop_.cancel(connection->linger);
  loop_.unwatch(connection->bridge.outer(), connection->outer_watch);
  loop_.unwatch(connection->bridge.inner(), connection->inner_watch);
  const std::string reason = connection->bridge.reason();
  {
    const std::lock_guard lock(mutex_);
    connections_.erase(id);
  }
  connection.reset();
  events_.ended(id, reason);
}

Result<std::string> StreamSockets::send(ConnectionId id, const std::string& path) {
  const char* operation = "send a descriptor";
  auto connection = find(id, operation);
  if (!connection) return std::move(connection).error();
  auto fd = open_by_path(path);
  if (!fd) return std::move(fd).error();
  std::string url = inode_url(fd.value().get());
  if (!connection.value()->bridge.queue(std::move(fd).value())) {
    return Error{"FILE_NOT_OPENED", operation, path, "too many descriptors wait for the peer already", 0};
  }
  return url;
}

Result<Fd> StreamSockets::received(ConnectionId id, const std::string& url) {
  auto connection = find(id, "take a descriptor from a peer");
  if (!connection) return std::move(connection).error();
  return connection.value()->bridge.table().duplicate(url);
}

std::shared_ptr<StreamSockets::Connection> StreamSockets::find(ConnectionId id) const {
  const std::lock_guard lock(mutex_);
  const auto found = connections_.find(id);
  return found == connections_.end() ? nullptr : found->second;
}

Result<std::shared_ptr<StreamSockets::Connection>> StreamSockets::find(ConnectionId id, const char* operation) const {
  auto connection = find(id);
  if (!connection) return closed(operation, "connection " + std::to_string(id));
  return connection;
}

void StreamSockets::close() noexcept {
  const std::lock_guard lock(changes_);
  {
    const std::lock_guard inner(mutex_);
    closed_ = true;
    if (!started_) return;
  }
  loop_.stop();
  for (auto& [id, listener] : listeners_) remove_socket_file(listener.socket);
  listeners_.clear();
  const std::lock_guard inner(mutex_);
  connections_.clear();
}

}  // namespace crosswire::os

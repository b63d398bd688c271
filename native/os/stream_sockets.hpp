// SPDX-License-Identifier: Apache-2.0
// Unix stream sockets for users that only read and write: listens, dials, and bridges each connection to a socketpair
// (os/socket_bridge.hpp). One thread serves all connections.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/result.hpp"
#include "os/control_loop.hpp"
#include "os/socket_bridge.hpp"
#include "os/unix_socket.hpp"

namespace crosswire::os {

using ConnectionId = uint64_t;  // never used twice

// Called on the thread of StreamSockets.
struct StreamEvents {
  std::function<void(uint64_t listener, ConnectionId, Fd inner)> accepted;
  std::function<void(ConnectionId, const std::string& url)> file;      // came for the first time
  std::function<void(ConnectionId, const std::string& reason)> ended;  // empty: both sides closed in order
};

class StreamSockets {
 public:
  static constexpr size_t most_connections = 4096;  // more are closed at once

  explicit StreamSockets(StreamEvents events) : events_(std::move(events)) {}
  StreamSockets(const StreamSockets&) = delete;
  StreamSockets& operator=(const StreamSockets&) = delete;
  ~StreamSockets() { close(); }

  // Any thread except its own. Errors: those of listen_unix() and connect_unix(), SOCKET_CLOSED, THREAD_FAILED.
  Result<uint64_t> listen(const std::string& path);
  void close_listener(uint64_t listener);  // its connections stay
  struct Dialled {
    ConnectionId connection = 0;
    Fd inner;
  };
  Result<Dialled> dial(const std::string& path);

  // Queues the file at the path for the peer, and returns the name by which the peer knows it. Errors: FILE_NOT_OPENED,
  // SOCKET_CLOSED.
  Result<std::string> send(ConnectionId connection, const std::string& path);
  // The file that the peer sent under that name; an empty Fd if none came yet. Errors: FILE_NOT_OPENED, SOCKET_CLOSED.
  Result<Fd> received(ConnectionId connection, const std::string& url);

  // Ends everything and joins the thread. For good; idempotent.
  void close() noexcept;

 private:
  struct Connection {
    SocketBridge bridge;
    ControlLoop::Token outer_watch = 0;
    ControlLoop::Token inner_watch = 0;
    ControlLoop::Token again = 0;
    ControlLoop::Token linger = 0;
  };
  struct Listener {
    SocketListener socket;
    ControlLoop::Token watch = 0;
    ControlLoop::Token retry = 0;
  };

  Result<> start();
  void watch_listener(uint64_t id);
  void accept_all(uint64_t id);
  Result<Dialled> bridge(Fd outer);
  void begin(ConnectionId id);
  void pump(ConnectionId id);
  void end(ConnectionId id);
  Result<std::shared_ptr<Connection>> find(ConnectionId id, const char* operation) const;
  std::shared_ptr<Connection> find(ConnectionId id) const;

  const StreamEvents events_;
  ControlLoop loop_;
  std::unique_ptr<DescriptorQuota> quota_;
  std::vector<uint8_t> scratch_;                      // the loop's
  std::unordered_map<uint64_t, Listener> listeners_;  // the loop's

  mutable std::mutex mutex_;
  bool started_ = false;  // these three guarded by mutex_
  bool closed_ = false;
  std::unordered_map<ConnectionId, std::shared_ptr<Connection>> connections_;
  std::mutex changes_;  // held while a task runs on the loop, and to stop it
};

}  // namespace crosswire::os

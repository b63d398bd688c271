// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "core/link.hpp"
#include "link/memif/rate_limit.hpp"
#include "os/control_loop.hpp"
#include "os/fd.hpp"
#include "os/unix_socket.hpp"

namespace crosswire::memif {

struct SocketPlace {
  std::string socket;  // a path, or "@name" for an abstract socket
  std::string netns;   // path of its network namespace; "": the process's own
};

struct ProxyOptions {
  SocketPlace listen;  // where a memif client connects
  SocketPlace dial;    // where a memif server listens
};

// Limits on the resources that two peers may use.
struct ProxyLimits {
  size_t sessions = 8;
  uint32_t messages = 4096;          // of one session, in both directions: twice a handshake with the most rings
  uint32_t accepts_per_second = 50;  // each costs a connection to the server
};

// Joins the control sockets of two memif applications, so that they share memory directly. Copies messages of exactly
// 128 bytes with at most one descriptor and keeps no copy; of their contents it uses only that a session is connected.
// Belongs to the control thread, except state().
//
//   memif client ──▶ listen  [session: two sockets]  dial ──▶ memif server
class Proxy {
 public:
  explicit Proxy(ProxyOptions options, ProxyLimits limits = {});
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;
  ~Proxy() { close(); }

  // Errors: those of listen_unix() and of NamespaceGuard.
  Result<> open(os::ControlLoop& loop);
  void close() noexcept;

  enum Side : size_t { client, server };
  std::array<LinkState, 2> state() const;  // by Side; any thread

 private:
  using Serial = uint64_t;
  struct Session {
    std::array<os::Fd, 2> sockets;  // by Side
    std::array<os::ControlLoop::Token, 2> watches{};
    uint32_t messages = 0;
    bool connected = false;
  };

  void accept_all();
  void accept_later(uint64_t delay_ns);
  Result<os::Fd> dial();
  void begin(os::Fd accepted);
  void copy_from(Serial serial, Side side);
  const char* copy_one(Session& session, Side side, bool& more);  // why the session ends, or null
  void end(Serial serial, const std::string& why);
  void tell();
  void note(const std::string& why);

  const ProxyOptions options_;
  const ProxyLimits limits_;
  os::ControlLoop* loop_ = nullptr;  // while open
  os::Fd dial_netns_;                // kept open: its path may refer to another namespace later
  os::SocketListener listener_;
  os::ControlLoop::Token watch_ = 0;
  os::ControlLoop::Token timer_ = 0;
  RateLimit accept_rate_;
  std::map<Serial, Session> sessions_;
  Serial last_serial_ = 0;

  mutable std::mutex mutex_;
  std::array<LinkState, 2> state_;
};

}  // namespace crosswire::memif

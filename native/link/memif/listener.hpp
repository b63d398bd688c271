// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>
#include <variant>

#include "link/memif/attachment.hpp"
#include "link/memif/connection.hpp"
#include "link/memif/rate_limit.hpp"
#include "link/memif/server_handshake.hpp"
#include "os/unix_socket.hpp"

namespace crosswire::memif {

// One listening socket and all server links on it, distinguished by id. Belongs to the control thread.
class Listener {
 public:
  Listener(os::ControlLoop& loop, const Limits& limits);
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener();

  Result<> open(const std::string& socket, const std::string& netns);
  Result<> add(Attachment& attachment);  // MEMIF_ID_TAKEN
  void remove(Attachment& attachment);
  bool empty() const { return ids_.empty(); }

 private:
  using Serial = uint64_t;

  struct Peer {
    std::unique_ptr<ServerHandshake> handshake;
    std::unique_ptr<Connection> connection;
    Attachment* attachment = nullptr;  // once INIT named its id
    uint64_t since_ns = 0;
  };
  struct Id {
    Attachment* attachment = nullptr;
    Serial peer = 0;  // the connection that holds the id; 0: free
    Backoff backoff;  // after violations
    uint64_t not_before_ns = 0;
    RateLimit rate{200};  // a peer that connects and closes in a loop costs a mapping each time
  };

  void accept_all();
  void accept_later(uint64_t delay_ns);
  void add_peer(os::Fd socket);
  void make_room();
  std::variant<const Options*, const char*> admit(Serial serial, const Init& init);
  void establish(Serial serial);
  void on_ended(Serial serial, const std::string& why, Ending ending);

  os::ControlLoop& loop_;
  const Limits& limits_;
  RateLimit accept_rate_;
  os::SocketListener socket_;
  os::ControlLoop::Token watch_ = 0;
  os::ControlLoop::Token accept_timer_ = 0;
  std::map<uint32_t, Id> ids_;
  std::map<Serial, Peer> peers_;
  size_t pending_ = 0;  // peers without a finished handshake
  Serial last_serial_ = 0;
};

}  // namespace crosswire::memif

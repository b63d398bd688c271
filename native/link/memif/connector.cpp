// SPDX-License-Identifier: Apache-2.0
#include "link/memif/connector.hpp"

#include <utility>

#include "core/clock.hpp"
#include "os/netns.hpp"
#include "os/unix_socket.hpp"

namespace crosswire::memif {
namespace {

constexpr uint64_t good_session_ns = 2'000'000'000;  // after such a session, the retry is quick

Result<os::Fd> connect_inside(const os::Fd& netns, const std::string& socket) {
  auto guard = os::NamespaceGuard::enter(netns);
  if (!guard) return std::move(guard).error();
  return os::connect_unix(os::SocketType::records, socket);
}

}  // namespace

Connector::Connector(os::ControlLoop& loop, const Limits& limits, Attachment& attachment, os::Fd netns)
    : loop_(loop), limits_(limits), attachment_(attachment), netns_(std::move(netns)) {
  attempt();
}

Connector::~Connector() {
  loop_.cancel(retry_timer_);
  if (connection_) connection_->disconnect("interface deleted");
}

void Connector::attempt() {
  auto socket = connect_inside(netns_, attachment_.options.socket);
  if (!socket) return retry(socket.error().operation + " " + socket.error().subject + ": " + socket.error().reason);
  handshake_ = std::make_unique<ClientHandshake>(attachment_.options);
  Connection::Handlers handlers;
  handlers.take = [this](Record record) { return handshake_->take(std::move(record)); };
  handlers.established = [this] { establish(); };
  handlers.ended = [this](const std::string& why, Ending ending) { on_ended(why, ending); };
  connection_ = std::make_unique<Connection>(loop_, limits_, std::move(socket).value(), std::move(handlers));
}

void Connector::retry(const std::string& why) {
  attachment_.note_down(why);
  retry_timer_ = loop_.after(backoff_.next_delay(), [this] {
    retry_timer_ = 0;
    attempt();
  });
}

void Connector::establish() {
  since_ns_ = now_ns();
  attachment_.begin(handshake_->session(),
                    [this](const char* violation) { connection_->end(violation, Ending::violation); });
}

void Connector::on_ended(const std::string& why, Ending ending) {
  const auto connection = std::move(connection_);
  if (connection->established() && now_ns() - since_ns_ > good_session_ns) backoff_.reset();
  if (ending == Ending::violation) attachment_.note_refused(why);
  attachment_.end_session();
  retry(why);
}

}  // namespace crosswire::memif

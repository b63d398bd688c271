// SPDX-License-Identifier: Apache-2.0
#include "link/memif/listener.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <utility>

#include "core/clock.hpp"
#include "link/memif/text.hpp"
#include "os/netns.hpp"

namespace crosswire::memif {
namespace {

constexpr int backlog = 64;
constexpr uint64_t good_session_ns = 10'000'000'000;  // after such a session, earlier violations are forgotten
constexpr uint64_t exhausted_ns = 100'000'000;        // no descriptors left: wait before the next accept

}  // namespace

Listener::Listener(os::ControlLoop& loop, const Limits& limits)
    : loop_(loop), limits_(limits), accept_rate_(limits.accepts_per_second) {}

Listener::~Listener() {
  loop_.cancel(accept_timer_);
  if (!socket_.fd) return;
  loop_.unwatch(socket_.fd.get(), watch_);
  os::remove_socket_file(socket_);
}

Result<> Listener::open(const std::string& socket, const std::string& netns) {
  auto guard = os::NamespaceGuard::enter(netns);
  if (!guard) return std::move(guard).error();
  auto listening = os::listen_unix(os::SocketType::records, socket, backlog);
  if (!listening) return std::move(listening).error();
  socket_ = std::move(listening).value();
  watch_ = loop_.watch(socket_.fd.get(), EPOLLIN, [this] { accept_all(); });
  return Done{};
}

Result<> Listener::add(Attachment& attachment) {
  const uint32_t id = attachment.options.id;
  if (ids_.contains(id)) {
    return Error{"MEMIF_ID_TAKEN", "open memif", attachment.options.name,
                 "id " + std::to_string(id) + " on " + attachment.options.socket + " belongs to another end", 0};
  }
  ids_[id].attachment = &attachment;
  attachment.note_down("waiting for a client on " + attachment.options.socket);
  return Done{};
}

void Listener::remove(Attachment& attachment) {
  const auto found = ids_.find(attachment.options.id);
  if (found == ids_.end() || found->second.attachment != &attachment) return;
  if (const auto peer = peers_.find(found->second.peer); peer != peers_.end()) {
    if (!peer->second.connection->established()) pending_--;
    peer->second.connection->disconnect("interface deleted");
    peers_.erase(peer);
  }
  ids_.erase(found);
}

void Listener::accept_all() {
  while (accept_rate_.allow()) {
    os::Accepted accepted = os::accept_unix(socket_.fd.get());
    if (accepted.exhausted) return accept_later(exhausted_ns);
    if (!accepted.fd) return;
    make_room();
    add_peer(std::move(accepted.fd));
  }
  accept_later(accept_rate_.interval_ns() * 16);
}

// Meanwhile, connections wait in the backlog.
void Listener::accept_later(uint64_t delay_ns) {
  loop_.unwatch(socket_.fd.get(), std::exchange(watch_, 0));
  accept_timer_ = loop_.after(delay_ns, [this] {
    accept_timer_ = 0;
    watch_ = loop_.watch(socket_.fd.get(), EPOLLIN, [this] { accept_all(); });
  });
}

// At the limit, closes the oldest connection without a finished handshake: an honest peer finishes within milliseconds.
void Listener::make_room() {
  if (pending_ < limits_.pending_connections) return;
  const auto oldest =
      std::ranges::find_if(peers_, [](const auto& entry) { return !entry.second.connection->established(); });
  if (oldest != peers_.end()) oldest->second.connection->end("too many connections", Ending::violation);
}

void Listener::add_peer(os::Fd socket) {
  const Serial serial = ++last_serial_;
  Peer& peer = peers_[serial];
  peer.since_ns = now_ns();
  peer.handshake =
      std::make_unique<ServerHandshake>([=, this](const Init& init) { return admit(serial, init); }, limits_);
  Connection::Handlers handlers;
  handlers.take = [handshake = peer.handshake.get()](Record record) { return handshake->take(std::move(record)); };
  handlers.established = [=, this] { establish(serial); };
  handlers.ended = [=, this](const std::string& why, Ending ending) { on_ended(serial, why, ending); };
  peer.connection = std::make_unique<Connection>(loop_, limits_, std::move(socket), std::move(handlers));
  pending_++;
  peer.connection->send(ServerHandshake::hello());
}

std::variant<const Options*, const char*> Listener::admit(Serial serial, const Init& init) {
  const uint32_t wanted = init.id;  // packed: not to be referred to
  const auto found = ids_.find(wanted);
  if (found == ids_.end()) return "unknown interface id";
  Id& id = found->second;
  Attachment& attachment = *id.attachment;
  const Options& options = attachment.options;
  const auto refuse = [&](const char* why) {
    attachment.note_refused(std::string("refused a client: ") + why);
    return why;
  };
  if (!options.secret.empty() && !same_secret(init.secret, options.secret)) return refuse("incorrect secret");
  if (init.mode != (options.payload == Payload::ethernet ? 0 : 1)) return refuse("mode mismatch");
  if (now_ns() < id.not_before_ns || !id.rate.allow()) return refuse("too many connections, try again later");
  if (const auto holder = peers_.find(id.peer); holder != peers_.end()) {
    if (!holder->second.connection->peer_hung_up()) return refuse("already connected");
    holder->second.connection->end("the peer closed the connection", Ending::gone);
  }
  id.peer = serial;
  peers_.at(serial).attachment = &attachment;
  return &options;
}

void Listener::establish(Serial serial) {
  pending_--;
  Peer& peer = peers_.at(serial);
  Connection* connection = peer.connection.get();
  peer.since_ns = now_ns();
  peer.attachment->begin(peer.handshake->session(),
                         [connection](const char* violation) { connection->end(violation, Ending::violation); });
}

void Listener::on_ended(Serial serial, const std::string& why, Ending ending) {
  auto peer = peers_.extract(serial);
  const bool established = peer.mapped().connection->established();
  if (!established) pending_--;
  Attachment* attachment = peer.mapped().attachment;
  if (attachment == nullptr) return;
  Id& id = ids_.at(attachment->options.id);
  id.peer = 0;
  if (established && now_ns() - peer.mapped().since_ns > good_session_ns) id.backoff.reset();
  if (ending == Ending::violation) {
    id.not_before_ns = now_ns() + id.backoff.next_delay();
    attachment->note_refused(why);
  }
  attachment->note_down(why);
  attachment->end_session();
}

}  // namespace crosswire::memif

// SPDX-License-Identifier: Apache-2.0
#include "link/memif/proxy.hpp"

#include <sys/epoll.h>

#include <utility>

#include "link/memif/message.hpp"
#include "os/netns.hpp"
#include "os/seqpacket.hpp"

namespace crosswire::memif {
namespace {

constexpr int backlog = 16;
constexpr int messages_at_once = 16;            // then others on the control thread come first
constexpr uint64_t exhausted_ns = 100'000'000;  // no descriptors left: wait before the next accept

Proxy::Side other(Proxy::Side side) { return side == Proxy::client ? Proxy::server : Proxy::client; }

}  // namespace

Proxy::Proxy(ProxyOptions options, ProxyLimits limits)
    : options_(std::move(options)), limits_(limits), accept_rate_(limits.accepts_per_second) {}

Result<> Proxy::open(os::ControlLoop& loop) {
  if (!options_.dial.netns.empty()) {
    auto opened = os::open_namespace(options_.dial.netns);
    if (!opened) return std::move(opened).error();
    dial_netns_ = std::move(opened).value();
  }
  auto guard = os::NamespaceGuard::enter(options_.listen.netns);
  if (!guard) return std::move(guard).error();
  auto listening = os::listen_unix(os::SocketType::records, options_.listen.socket, backlog);
  if (!listening) return std::move(listening).error();
  listener_ = std::move(listening).value();
  loop_ = &loop;
  watch_ = loop.watch(listener_.fd.get(), EPOLLIN, [this] { accept_all(); });
  note("no session yet");
  return Done{};
}

void Proxy::close() noexcept {
  if (loop_ == nullptr) return;
  while (!sessions_.empty()) end(sessions_.begin()->first, "closed");
  loop_->cancel(timer_);
  loop_->unwatch(listener_.fd.get(), watch_);
  os::remove_socket_file(listener_);
  listener_.fd.reset();
  loop_ = nullptr;
}

void Proxy::accept_all() {
  while (accept_rate_.allow()) {
    auto accepted = os::accept_unix(listener_.fd.get());
    if (accepted.exhausted) return accept_later(exhausted_ns);
    if (!accepted.fd) return;
    begin(std::move(accepted.fd));
  }
  accept_later(accept_rate_.interval_ns());
}

// Meanwhile, connections wait in the backlog.
void Proxy::accept_later(uint64_t delay_ns) {
  loop_->unwatch(listener_.fd.get(), std::exchange(watch_, 0));
  timer_ = loop_->after(delay_ns, [this] {
    timer_ = 0;
    watch_ = loop_->watch(listener_.fd.get(), EPOLLIN, [this] { accept_all(); });
  });
}

Result<os::Fd> Proxy::dial() {
  auto guard = os::NamespaceGuard::enter(dial_netns_);
  if (!guard) return std::move(guard).error();
  return os::connect_unix(os::SocketType::records, options_.dial.socket);
}

// A client that is refused retries by itself.
void Proxy::begin(os::Fd accepted) {
  if (sessions_.size() >= limits_.sessions) return note("refused a client: too many sessions");
  auto dialled = dial();
  if (!dialled) return note(dialled.error().operation + " " + dialled.error().subject + ": " + dialled.error().reason);
  const Serial serial = ++last_serial_;
  auto& session = sessions_[serial];
  session.sockets[client] = std::move(accepted);
  session.sockets[server] = std::move(dialled).value();
  for (const Side side : {client, server}) {
    session.watches[side] =
        loop_->watch(session.sockets[side].get(), EPOLLIN | EPOLLRDHUP, [=, this] { copy_from(serial, side); });
  }
}

void Proxy::copy_from(Serial serial, Side side) {
  const auto found = sessions_.find(serial);
  if (found == sessions_.end()) return;
  bool more = true;
  for (int budget = messages_at_once; more && budget > 0; budget--) {
    const char* fault = copy_one(found->second, side, more);
    if (fault != nullptr) return end(serial, std::string(side == client ? "the client " : "the server ") + fault);
  }
}

// A peer that does not read counts as gone: messages are never queued for it.
const char* Proxy::copy_one(Session& session, Side side, bool& more) {
  Message message;
  const auto received = os::receive_record(session.sockets[side].get(), message);
  more = received.kind == os::ReceivedRecord::Kind::record;
  if (received.kind == os::ReceivedRecord::Kind::closed) return "closed the session";
  if (!more) return nullptr;
  if (received.truncated || received.length != message_size) return "sent a message of wrong size";
  if (received.fds.size() > 1) return "sent several descriptors at once";
  if (++session.messages > limits_.messages) return "sent too many messages";
  const int fd = received.fds.empty() ? -1 : received.fds.front().get();
  if (!os::send_record(session.sockets[other(side)].get(), message, fd)) return "sent what the other side did not take";
  if (side == server && type_of(message) == MessageType::connected && !std::exchange(session.connected, true)) tell();
  return nullptr;
}

void Proxy::end(Serial serial, const std::string& why) {
  auto session = sessions_.extract(serial);
  for (const Side side : {client, server}) {
    loop_->unwatch(session.mapped().sockets[side].get(), session.mapped().watches[side]);
  }
  note(why);
}

void Proxy::tell() {
  const std::lock_guard lock(mutex_);
  for (auto& state : state_) {
    state.up = true;
    state.sessions++;
    state.detail = "a session runs between the two applications";
  }
}

// While a session is connected, the state describes that session.
void Proxy::note(const std::string& why) {
  size_t connected = 0;
  for (const auto& [serial, session] : sessions_) connected += session.connected ? 1 : 0;
  const std::lock_guard lock(mutex_);
  for (auto& state : state_) state.up = connected > 0;
  if (connected > 0) return;
  state_[client].detail = "waiting for a client on " + options_.listen.socket + ": " + why;
  state_[server].detail = "to be connected to " + options_.dial.socket + ": " + why;
}

std::array<LinkState, 2> Proxy::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

}  // namespace crosswire::memif

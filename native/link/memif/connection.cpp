// SPDX-License-Identifier: Apache-2.0
#include "link/memif/connection.hpp"

#include <poll.h>
#include <sys/epoll.h>

#include <algorithm>
#include <utility>

#include "core/clock.hpp"
#include "link/memif/text.hpp"
#include "os/seqpacket.hpp"

namespace crosswire::memif {

Connection::Connection(os::ControlLoop& loop, const Limits& limits, os::Fd socket, Handlers handlers)
    : loop_(loop), limits_(limits), socket_(std::move(socket)), handlers_(std::move(handlers)) {
  handshake_deadline_ = now_ns() + limits_.handshake_ns;
  watch_ = loop_.watch(socket_.get(), EPOLLIN | EPOLLRDHUP, [this] { on_readable(); });
  start_step();
}

void Connection::close() noexcept {
  loop_.cancel(std::exchange(step_timer_, 0));
  if (!socket_) return;
  loop_.unwatch(socket_.get(), watch_);
  socket_.reset();
}

// A peer that accepts no records is gone; reading then reports the end of the connection.
void Connection::send(const Message& message, int fd) { os::send_record(socket_.get(), message, fd); }

void Connection::disconnect(const std::string& text) noexcept {
  if (!socket_) return;
  Disconnect body{};
  set_text(body.text, text);
  send(encode(MessageType::disconnect, body));
  close();
}

void Connection::end(const std::string& why, Ending ending) {
  if (ending == Ending::violation) disconnect(why);
  close();
  // The handler may destroy this object, so nothing of it is used afterwards.
  const auto ended = std::move(handlers_.ended);
  ended(why, ending);
}

bool Connection::peer_hung_up() const noexcept {
  pollfd query{socket_.get(), POLLRDHUP, 0};
  return ::poll(&query, 1, 0) > 0 && (query.revents & (POLLHUP | POLLRDHUP | POLLERR)) != 0;
}

void Connection::start_step() {
  loop_.cancel(step_timer_);
  const uint64_t now = now_ns();
  const uint64_t left = handshake_deadline_ > now ? handshake_deadline_ - now : 0;
  step_timer_ = loop_.after(std::min(limits_.step_ns, left), [this] {
    step_timer_ = 0;
    end("the handshake took too long", Ending::violation);
  });
}

void Connection::on_readable() {
  for (int budget = 16; budget > 0; budget--) {
    if (!take_record()) return;
  }
}

bool Connection::take_record() {
  Record record;
  os::ReceivedRecord received = os::receive_record(socket_.get(), record.bytes);
  if (received.kind == os::ReceivedRecord::Kind::none_yet) return false;
  if (received.kind == os::ReceivedRecord::Kind::closed) {
    end("the peer closed the connection", Ending::gone);
    return false;
  }
  record.length = received.length;
  record.truncated = received.truncated;
  record.fds = std::move(received.fds);

  // After the handshake, a peer may only send DISCONNECT; the handshake checks that in its state `connected`.
  Step step = handlers_.take(std::move(record));
  if (step.kind == Step::Kind::refused) {
    end(step.reason, step.ended_by_peer ? Ending::gone : Ending::violation);
    return false;
  }
  if (step.reply) send(step.reply->message, step.reply->fd);
  if (step.kind == Step::Kind::go_on) {
    start_step();
    return true;
  }
  loop_.cancel(std::exchange(step_timer_, 0));
  established_ = true;
  handlers_.established();
  return true;
}

}  // namespace crosswire::memif

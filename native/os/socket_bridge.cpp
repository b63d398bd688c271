// SPDX-License-Identifier: Apache-2.0
#include "os/socket_bridge.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <utility>

#include "os/error.hpp"

namespace crosswire::os {
namespace {

constexpr int steps_per_turn = 16;  // then other connections come first

// The other end is closed, or both directions were shut down (unix_poll in net/unix/af_unix.c).
bool hung_up(int socket) {
  pollfd asked{socket, 0, 0};
  return ::poll(&asked, 1, 0) == 1 && (asked.revents & POLLHUP) != 0;
}

}  // namespace

void SocketBridge::Direction::keep(std::span<const uint8_t> bytes) {
  pending.assign(bytes.begin(), bytes.end());
  written = 0;
}

void SocketBridge::Direction::wrote(size_t length) {
  written += length;
  if (has_pending()) return;
  std::vector<uint8_t>().swap(pending);  // an idle connection holds no buffer
  written = 0;
}

void SocketBridge::Direction::give_up() {
  wrote(pending.size() - written);
  finished = true;
}

SocketBridge::SocketBridge(Fd outer, Fd inner, DescriptorQuota& quota,
                           std::function<void(const std::string& url)> on_file)
    : outer_(std::move(outer)),
      inner_(std::move(inner)),
      table_(most_descriptors, quota),
      on_file_(std::move(on_file)) {}

SocketBridge::Progress SocketBridge::pump(std::span<uint8_t> scratch) {
  for (int step = 0; step < steps_per_turn; step++) {
    const bool moved_in = move_in(scratch);
    const bool moved_out = reason_.empty() && move_out(scratch);
    if (!reason_.empty()) return Progress::ended;
    if (!moved_in && !moved_out) return settle();
  }
  return Progress::more;
}

bool SocketBridge::move_in(std::span<uint8_t> scratch) {
  if (in_.finished) return false;
  if (in_.has_pending()) {
    in_.wrote(write_in(in_.rest()));
    return !in_.has_pending();
  }
  ReceivedBytes received = receive_bytes(outer_.get(), scratch);
  take(std::move(received.fds), received.truncated);
  if (received.flow == Flow::failed) fail("read from the peer", received.errno_value);
  if (received.flow == Flow::ended) {
    ::shutdown(inner_.get(), SHUT_WR);
    in_.finished = true;
  }
  if (received.flow != Flow::moved || !reason_.empty()) return false;
  const auto bytes = scratch.first(received.length);
  const size_t written = write_in(bytes);
  if (!in_.finished && written < bytes.size()) in_.keep(bytes.subspan(written));
  return true;
}

// Bytes that the holder of the inner end no longer reads are dropped.
size_t SocketBridge::write_in(std::span<const uint8_t> bytes) {
  size_t written = 0;
  while (written < bytes.size()) {
    const SentBytes sent = send_bytes(inner_.get(), bytes.subspan(written));
    if (sent.flow == Flow::failed) fail("hand on what the peer sent", sent.errno_value);
    if (sent.flow == Flow::ended) in_.give_up();
    if (sent.flow != Flow::moved) return in_.finished ? 0 : written;
    written += sent.length;
  }
  return written;
}

bool SocketBridge::move_out(std::span<uint8_t> scratch) {
  if (out_.has_pending()) {
    out_.wrote(write_out(out_.rest()));
    return !out_.has_pending();
  }
  if (out_.finished) return false;
  const ReceivedBytes received = receive_bytes(inner_.get(), scratch);
  if (received.flow == Flow::failed) fail("read what goes to the peer", received.errno_value);
  if (received.flow == Flow::ended) {
    ::shutdown(outer_.get(), SHUT_WR);
    out_.finished = true;
    drop_queued();
  }
  if (received.flow != Flow::moved) return false;
  const auto bytes = scratch.first(received.length);
  const size_t written = write_out(bytes);
  if (!out_.finished && written < bytes.size()) out_.keep(bytes.subspan(written));
  return true;
}

// Sends each queued descriptor with one byte (NSM contract §5.1), then the remaining bytes at once.
size_t SocketBridge::write_out(std::span<const uint8_t> bytes) {
  size_t written = 0;
  while (written < bytes.size()) {
    const int fd = next_queued();
    const SentBytes sent = send_bytes(outer_.get(), bytes.subspan(written, fd < 0 ? bytes.size() - written : 1), fd);
    if (sent.flow == Flow::failed || sent.flow == Flow::ended) fail("write to the peer", sent.errno_value);
    if (sent.flow != Flow::moved) return written;
    written += sent.length;
    if (fd >= 0) {
      const std::lock_guard lock(mutex_);
      queue_.pop_front();
    }
  }
  return written;
}

void SocketBridge::take(std::vector<Fd> fds, bool truncated) {
  for (Fd& fd : fds) {
    const std::string url = inode_url(fd.get());
    const auto kept = table_.keep(std::move(fd), url);
    if (kept == DescriptorTable::Kept::fresh) on_file_(url);
    if (kept == DescriptorTable::Kept::no_room) reason_ = "the peer sent more descriptors than are kept";
  }
  if (truncated)
    reason_ = "descriptors were lost: the peer sent too many at once, or the limit of open files is reached";
}

bool SocketBridge::queue(Fd fd) {
  const std::lock_guard lock(mutex_);
  if (queue_.size() >= most_descriptors) return false;
  queue_.push_back(std::move(fd));
  return true;
}

// Only pump() removes from the queue, so the front is stable without the lock.
int SocketBridge::next_queued() {
  const std::lock_guard lock(mutex_);
  return queue_.empty() ? -1 : queue_.front().get();
}

void SocketBridge::drop_queued() {
  const std::lock_guard lock(mutex_);
  queue_.clear();
}

void SocketBridge::fail(const char* operation, int errno_value) {
  if (reason_.empty()) reason_ = system_error("", operation, "", errno_value).reason + ", to " + operation;
}

SocketBridge::Progress SocketBridge::settle() {
  const bool inner_gone = in_.finished || hung_up(inner_.get());
  if (out_.finished && inner_gone) return Progress::ended;
  // The last bytes are still in the inner socket or pending, since the peer is not reading at the moment.
  return out_.has_pending() && hung_up(inner_.get()) ? Progress::lingering : Progress::waiting;
}

}  // namespace crosswire::os

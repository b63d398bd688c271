// SPDX-License-Identifier: Apache-2.0
// StreamSockets with their recorded events, and helpers for the two kinds of ends: that of the holder, who only reads
// and writes, and that of a raw peer.
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "os/byte_stream.hpp"
#include "os/stream_sockets.hpp"
#include "os/unix_socket.hpp"

namespace crosswire::test {

constexpr auto patience = std::chrono::seconds(60);  // for events that must come; no assertion depends on time

inline size_t open_descriptors() {
  size_t count = 0;
  DIR* directory = ::opendir("/proc/self/fd");
  while (::readdir(directory) != nullptr) count++;
  ::closedir(directory);
  return count;
}

// Files of their own inodes, in a directory that is removed.
class Directory {
 public:
  Directory() {
    char name[] = "/tmp/crosswire-sockets-XXXXXX";
    path_ = ::mkdtemp(name);
  }
  ~Directory() { std::filesystem::remove_all(path_); }
  std::string socket() const { return path_ + "/s"; }
  std::string file(size_t number) const {
    const std::string path = path_ + "/" + std::to_string(number);
    os::Fd(::open(path.c_str(), O_CREAT | O_CLOEXEC | O_RDWR, 0600));
    return path;
  }

 private:
  std::string path_;
};

struct Told {
  struct Accepted {
    os::ConnectionId connection;
    os::Fd inner;
  };
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Accepted> accepted;
  std::multiset<std::string> files;
  std::map<os::ConnectionId, std::string> ended;

  os::StreamEvents events() {
    return {[this](uint64_t, os::ConnectionId id, os::Fd inner) {
              note([&] { accepted.push_back({id, std::move(inner)}); });
            },
            [this](os::ConnectionId, const std::string& url) { note([&] { files.insert(url); }); },
            [this](os::ConnectionId id, const std::string& reason) { note([&] { ended.emplace(id, reason); }); }};
  }
  template <class Change>
  void note(Change change) {
    const std::lock_guard lock(mutex);
    change();
    changed.notify_all();
  }
  template <class Condition>
  bool wait(Condition condition) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, patience, condition);
  }
  Accepted next() {
    wait([&] { return !accepted.empty(); });
    const std::lock_guard lock(mutex);
    Accepted first = std::move(accepted.front());
    accepted.erase(accepted.begin());
    return first;
  }
};

inline bool ready(int fd, short events) {
  pollfd asked{fd, events, 0};
  return ::poll(&asked, 1, static_cast<int>(std::chrono::milliseconds(patience).count())) == 1;
}

// Writes everything, waiting for room; `fd` goes with the first byte. False if the other side is gone.
inline bool write_all(int socket, const std::string& text, int fd = -1) {
  std::span<const uint8_t> left(reinterpret_cast<const uint8_t*>(text.data()), text.size());
  while (!left.empty()) {
    const os::SentBytes sent = os::send_bytes(socket, left, fd);
    if (sent.flow == os::Flow::blocked && ready(socket, POLLOUT)) continue;
    if (sent.flow != os::Flow::moved) return false;
    left = left.subspan(sent.length);
    fd = -1;
  }
  return true;
}

struct Gathered {
  std::string text;
  std::vector<os::Fd> fds;
  bool ended = false;
};
// Until `length` bytes have come, or the end.
inline Gathered read_some(int socket, size_t length) {
  Gathered gathered;
  std::vector<uint8_t> buffer(65536);
  while (gathered.text.size() < length && !gathered.ended) {
    const size_t most = std::min(buffer.size(), length - gathered.text.size());
    auto received = os::receive_bytes(socket, std::span(buffer).first(most));
    if (received.flow == os::Flow::blocked && ready(socket, POLLIN)) continue;
    for (auto& fd : received.fds) gathered.fds.push_back(std::move(fd));
    gathered.text.append(reinterpret_cast<const char*>(buffer.data()), received.length);
    gathered.ended = received.flow != os::Flow::moved;
  }
  return gathered;
}

// A listener, one raw peer connected to it, and the inner end of that connection.
struct Accepted {
  Directory directory{};
  Told told{};
  os::StreamSockets sockets{told.events()};
  uint64_t listener = 0;
  os::Fd peer{};
  os::ConnectionId id = 0;
  os::Fd inner{};

  Accepted() {
    auto listening = sockets.listen(directory.socket());
    if (listening) listener = listening.value();
    connect();
  }
  void connect() {
    auto connected = os::connect_unix(os::SocketType::bytes, directory.socket());
    if (!connected) return;
    peer = std::move(connected).value();
    auto accepted = told.next();
    id = accepted.connection;
    inner = std::move(accepted.inner);
  }
  bool ended(std::string* reason = nullptr) {
    const bool came = told.wait([&] { return told.ended.contains(id); });
    const std::lock_guard lock(told.mutex);
    if (came && reason != nullptr) *reason = told.ended.at(id);
    return came;
  }
};

}  // namespace crosswire::test

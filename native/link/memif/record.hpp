// SPDX-License-Identifier: Apache-2.0
// What the handshakes take and give, so that they run without a socket (and under a fuzzer).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "link/memif/message.hpp"
#include "os/fd.hpp"

namespace crosswire::memif {

// A record as it came. Only check_record() turns it into a Message.
struct Record {
  std::array<uint8_t, message_size + 1> bytes;  // one more, to tell a long record from a right one
  size_t length = 0;
  bool truncated = false;
  std::vector<os::Fd> fds;

  Message message() const {
    Message message;
    std::memcpy(message.data(), bytes.data(), message.size());
    return message;
  }
};

// Why a record is no message, or null: 128 bytes, and exactly as many descriptors as its type carries.
inline const char* record_fault(const Record& record) {
  if (record.length != message_size || record.truncated) return "a message of wrong size";
  const MessageType type = type_of(record.message());
  const bool carries = type == MessageType::add_region || type == MessageType::add_ring;
  if (record.fds.size() != (carries ? 1 : 0)) return "a message with a wrong number of file descriptors";
  return nullptr;
}

struct Reply {
  Message message;
  int fd = -1;  // lent; the handshake keeps it
};

// What a handshake wants done after a record.
struct Step {
  enum class Kind { go_on, established, refused };
  Kind kind = Kind::go_on;
  std::optional<Reply> reply;
  std::string reason;          // refused: for our state and the peer's log
  bool ended_by_peer = false;  // refused by, or ended with, a DISCONNECT of the peer's

  static Step answer(const Message& message, int fd = -1) { return {Kind::go_on, Reply{message, fd}, {}}; }
  static Step refuse(std::string why) { return {Kind::refused, std::nullopt, std::move(why)}; }
};

}  // namespace crosswire::memif

// SPDX-License-Identifier: Apache-2.0
// Input and output of the handshakes, which therefore run without a socket (and under a fuzzer).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "link/memif/message.hpp"
#include "os/fd.hpp"

namespace crosswire::memif {

// A record as received. Only check_record() turns it into a Message.
struct Record {
  std::array<uint8_t, message_size + 1> bytes;  // one more, to detect a record that is too long
  size_t length = 0;
  bool truncated = false;
  std::vector<os::Fd> fds;

  Message message() const {
    Message message;
    std::memcpy(message.data(), bytes.data(), message.size());
    return message;
  }
};

// Why a record is not a message, or null: it must have 128 bytes and exactly as many descriptors as its type carries.
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

// What to do after a record, by order of the handshake.
struct Step {
  enum class Kind { go_on, established, refused };
  Kind kind = Kind::go_on;
  std::optional<Reply> reply;
  std::string reason;          // refused: for our state and the peer's log
  bool ended_by_peer = false;  // the peer sent DISCONNECT

  static Step answer(const Message& message, int fd = -1) { return {Kind::go_on, Reply{message, fd}, {}}; }
  static Step refuse(std::string why) { return {Kind::refused, std::nullopt, std::move(why)}; }
};

}  // namespace crosswire::memif

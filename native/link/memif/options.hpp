// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "core/frame.hpp"
#include "core/result.hpp"

namespace crosswire::memif {

enum class Role : uint8_t {
  server,  // listens; the peer owns the memory
  client,  // connects, and retries forever; the memory is ours
};

inline constexpr uint32_t max_rings = 16;  // per direction and session: a link has one worker, so more gain nothing

struct Options {
  std::string name;    // shown to the peer, cut to 31 bytes
  std::string socket;  // a path, or "@name" for an abstract socket
  std::string netns;   // path of the network namespace of the socket; "": the process's own
  Role role = Role::server;
  uint32_t id = 0;
  Payload payload = Payload::ethernet;
  std::string secret;           // up to 23 bytes; "": no secret required or sent
  uint32_t rings = 1;           // client: per direction; a server accepts what its peer makes, up to max_rings
  uint32_t ring_size = 1024;    // client: slots per ring, a power of two up to 16384
  uint32_t buffer_size = 2048;  // client: bytes per slot
  bool allow_unsealed = false;  // server: accept memory that its owner can take away (zero-copy peers)
  uint32_t max_frame = max_frame_length;
};

// Error code MEMIF_OPTION.
Result<> validate(const Options& options);

// Limits on the resources that one peer may use (memif contract §7.1).
struct Limits {
  uint64_t session_bytes = uint64_t{4} << 30;  // mapped by one session
  uint32_t pending_connections = 32;           // per listener, without a finished handshake
  uint32_t accepts_per_second = 1000;          // per listener
  uint64_t step_ns = 2'000'000'000;            // to the next message of a handshake
  uint64_t handshake_ns = 15'000'000'000;      // for the whole handshake
};

}  // namespace crosswire::memif

// SPDX-License-Identifier: Apache-2.0
#include "link/memif/options.hpp"

#include <bit>

#include "link/memif/message.hpp"
#include "link/memif/ring_layout.hpp"
#include "os/unix_socket.hpp"

namespace crosswire::memif {
namespace {

std::string fault_of(const Options& options) {
  if (const std::string fault = os::socket_address_fault(options.socket); !fault.empty()) return "socket: " + fault;
  if (options.secret.size() >= secret_size) return "secret: it is longer than 23 bytes";
  if (options.secret.find('\0') != std::string::npos) return "secret: it contains a NUL byte";
  if (options.max_frame == 0 || options.max_frame > max_frame_length) return "max_frame: out of range";
  if (options.role == Role::server) return "";
  if (options.rings == 0 || options.rings > max_rings) return "rings: not 1 to 16";
  if (!std::has_single_bit(options.ring_size) || options.ring_size > 1u << max_log2_ring_size) {
    return "ring size: not a power of two up to 16384";
  }
  if (options.buffer_size < 256 || options.buffer_size > 65535) return "buffer size: not 256 to 65535";
  // Descriptors name a buffer by a 32-bit offset (memif contract §4).
  if (RingLayout(options.rings, options.rings, options.ring_size, options.buffer_size).total() > UINT32_MAX) {
    return "rings, ring size and buffer size: together more than 4 GiB";
  }
  return "";
}

}  // namespace

Result<> validate(const Options& options) {
  const std::string fault = fault_of(options);
  if (!fault.empty()) return Error{"MEMIF_OPTION", "open memif", options.name, fault, 0};
  return Done{};
}

}  // namespace crosswire::memif

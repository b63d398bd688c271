// SPDX-License-Identifier: Apache-2.0
// A TAP or TUN device in a namespace of its own, a link attached to it, and sockets on its other side.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "link/kernel/kernel_link.hpp"
#include "os/netns.hpp"
#include "os/tun.hpp"
#include "support/namespace.hpp"
#include "support/packet.hpp"
#include "support/split.hpp"

extern char** environ;

namespace crosswire::test {

// Why TUN/TAP tests cannot run here; empty if they can.
inline std::string tun_problem() {
  const os::Fd fd(::open("/dev/net/tun", O_RDWR | O_CLOEXEC));
  return fd ? "" : std::string("/dev/net/tun: ") + std::strerror(errno);
}

inline bool kernel_before(int major, int minor) {
  utsname system{};
  int running_major = 0, running_minor = 0;
  ::uname(&system);
  std::sscanf(system.release, "%d.%d", &running_major, &running_minor);
  return running_major < major || (running_major == major && running_minor < minor);
}

// Runs ip(8) inside the namespace; its exit status, or -1.
inline int ip(const TestNamespace& inside, std::vector<std::string> arguments) {
  auto guard = os::NamespaceGuard::enter(inside.path());
  if (!guard) return -1;
  arguments.insert(arguments.begin(), "ip");
  std::vector<char*> argv;
  for (auto& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  pid_t child = 0;
  int status = -1;
  if (::posix_spawnp(&child, "ip", nullptr, nullptr, argv.data(), environ) != 0) return -1;
  return ::waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

inline uint32_t index_of(const TestNamespace& inside, const std::string& interface) {
  auto guard = os::NamespaceGuard::enter(inside.path());
  return guard ? ::if_nametoindex(interface.c_str()) : 0;
}

// A socket of the namespace, with a limit on every wait so that a failing test ends.
inline os::Fd socket_inside(const TestNamespace& inside, int family, int type, int protocol = 0) {
  auto guard = os::NamespaceGuard::enter(inside.path());
  if (!guard) return {};
  os::Fd fd(::socket(family, type | SOCK_CLOEXEC, protocol));
  const timeval limit{.tv_sec = 20, .tv_usec = 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  return fd;
}

// The workload's side of a TAP: sends raw frames, and sees those that the link delivers.
class RawSocket {
 public:
  RawSocket(const TestNamespace& inside, const std::string& interface, uint16_t ethertype)
      : fd_(socket_inside(inside, AF_PACKET, SOCK_RAW, htons(ethertype))) {
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ethertype);
    address.sll_ifindex = static_cast<int>(index_of(inside, interface));
    bound_ = ::bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }

  bool send(const Bytes& frame) {
    return bound_ && ::send(fd_.get(), frame.data(), frame.size(), 0) == ssize_t(frame.size());
  }

  // The next frame that entered the namespace; empty after the limit.
  Bytes receive() {
    for (;;) {
      Bytes frame(70000);
      sockaddr_ll from{};
      socklen_t size = sizeof from;
      const ssize_t got =
          ::recvfrom(fd_.get(), frame.data(), frame.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
      if (got < 0) return {};
      if (from.sll_pkttype == PACKET_OUTGOING) continue;
      frame.resize(size_t(got));
      return frame;
    }
  }

 private:
  os::Fd fd_;
  bool bound_ = false;
};

// A burst with scratch, as a worker has it.
struct WorkerBurst {
  std::vector<uint8_t> scratch = std::vector<uint8_t>(scratch_bytes);
  std::unique_ptr<Burst> burst = std::make_unique<Burst>();

  WorkerBurst() { burst->scratch = scratch; }
  Burst& receive(Link& link) {
    burst->clear();
    link.receive(*burst);
    return *burst;
  }
};

inline bool readable(int fd, int milliseconds) {
  pollfd wait{.fd = fd, .events = POLLIN, .revents = 0};
  return ::poll(&wait, 1, milliseconds) == 1;
}

constexpr uint16_t experimental = 0x88b5;  // IEEE 802, for local experiments: only tests send it

// Why the link refused the frame; empty if it took it.
inline std::optional<DropReason> send(KernelLink& link, const Bytes& bytes, std::optional<Offload> offload = {},
                                      uint16_t units = 1) {
  const LentFrame lent(bytes, {}, offload, units);
  const Transmitted result = link.transmit(lent.burst(), 0, 1);
  return result.taken == 1 ? std::nullopt : std::optional(result.reason);
}

// The next frame of the experimental EtherType; skips other frames of the namespace.
inline Bytes receive_experimental(KernelLink& link) {
  WorkerBurst worker;
  while (readable(link.poll_fd(), 10000)) {
    const Burst& burst = worker.receive(link);
    for (uint32_t i = 0; i < burst.count; ++i) {
      const Frame& frame = burst.frames[i];
      Bytes bytes(frame.data, frame.data + frame.length);
      const size_t type_at = bytes[12] == 0x81 ? 16 : bytes[12] == 0x88 && bytes[13] == 0xa8 ? 20 : 12;
      if (bytes.size() > type_at + 1 && (bytes[type_at] << 8 | bytes[type_at + 1]) == experimental) return bytes;
    }
  }
  return {};
}

}  // namespace crosswire::test

#define NEEDS_TUN()                                         \
  if (!crosswire::test::tun_problem().empty()) {            \
    MESSAGE("skipped: " << crosswire::test::tun_problem()); \
    return;                                                 \
  }

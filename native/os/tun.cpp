// SPDX-License-Identifier: Apache-2.0
#include "os/tun.hpp"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "os/carrier.hpp"
#include "os/error.hpp"
#include "os/netns.hpp"

// linux/if_tun.h of Linux 6.2 and later.
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

namespace crosswire::os {
namespace {

constexpr int virtio_header_size = 10;  // struct virtio_net_hdr, without num_buffers

struct Attempt {
  const char* operation;
  const std::string& netns;
  const std::string& name;

  std::string subject() const { return netns.empty() ? name : name + " in " + netns; }
  Error failure(const char* code) const { return system_error(code, operation, subject(), errno); }
  Error refusal(const char* code, const char* reason) const { return Error{code, operation, subject(), reason, 0}; }
};

// A TUN descriptor belongs to the namespace it was opened in (tun_chr_open() in drivers/net/tun.c).
Result<Fd> open_clone_device(const Attempt& attempt) {
  Fd fd(::open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK));
  if (fd) return fd;
  const bool missing = errno == ENOENT || errno == ENODEV || errno == ENXIO;
  return attempt.failure(missing ? "TAP_UNSUPPORTED" : "TAP_DENIED");
}

ifreq request(const std::string& name, TunKind kind) {
  ifreq request{};
  std::memcpy(request.ifr_name, name.data(), name.size());
  request.ifr_flags = static_cast<short>((kind == TunKind::tap ? IFF_TAP : IFF_TUN) | IFF_NO_PI | IFF_VNET_HDR);
  return request;
}

bool fits(const std::string& name) { return !name.empty() && name.size() < IFNAMSIZ; }

const char* code_of_refusal(int error) {
  switch (error) {
    case EPERM:
      return "TAP_DENIED";
    case EBUSY:  // single queue: one descriptor at a time
      return "TAP_BUSY";
    case EINVAL:  // exists, but is no TUN/TAP device, is of the other kind, or has several queues
      return "TAP_WRONG_KIND";
    default:
      return "TAP_FAILED";
  }
}

bool set_offloads(int fd) {
  constexpr unsigned long tcp = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
  // UDP segmentation came with Linux 6.2; older kernels answer EINVAL to unknown bits.
  return ::ioctl(fd, TUNSETOFFLOAD, tcp | TUN_F_USO4 | TUN_F_USO6) == 0 || ::ioctl(fd, TUNSETOFFLOAD, tcp) == 0;
}

}  // namespace

Result<uint32_t> create_tun(const std::string& netns, const std::string& name, TunKind kind) {
  const Attempt attempt{kind == TunKind::tap ? "create TAP device" : "create TUN device", netns, name};
  if (!fits(name)) return attempt.refusal("TAP_FAILED", "interface names have 1 to 15 bytes");
  auto inside = NamespaceGuard::enter(netns);
  if (!inside) return std::move(inside).error();
  auto fd = open_clone_device(attempt);
  if (!fd) return std::move(fd).error();

  ifreq wanted = request(name, kind);
  wanted.ifr_flags = static_cast<short>(wanted.ifr_flags | IFF_TUN_EXCL);
  if (::ioctl(fd.value().get(), TUNSETIFF, &wanted) != 0) {
    const bool taken = errno == EBUSY || errno == EEXIST;
    return attempt.failure(taken ? "TAP_EXISTS" : code_of_refusal(errno));
  }
  const uint32_t index = ::if_nametoindex(name.c_str());
  // Last: until the device is persistent, an error return removes it by closing its descriptor.
  if (index == 0 || ::ioctl(fd.value().get(), TUNSETPERSIST, 1) != 0) return attempt.failure("TAP_FAILED");
  return index;
}

Result<Fd> attach_tun(const std::string& netns, const std::string& name, TunKind kind) {
  const Attempt attempt{kind == TunKind::tap ? "attach to TAP device" : "attach to TUN device", netns, name};
  if (!fits(name)) return attempt.refusal("TAP_MISSING", "interface names have 1 to 15 bytes");
  auto inside = NamespaceGuard::enter(netns);
  if (!inside) return std::move(inside).error();
  if (::if_nametoindex(name.c_str()) == 0) return attempt.failure("TAP_MISSING");
  auto opened = open_clone_device(attempt);
  if (!opened) return std::move(opened).error();
  const int fd = opened.value().get();

  ifreq wanted = request(name, kind);
  if (::ioctl(fd, TUNSETIFF, &wanted) != 0) return attempt.failure(code_of_refusal(errno));

  // If the device vanished after the look-up, TUNSETIFF created a new one. That is not persistent and goes with fd.
  ifreq found{};
  if (::ioctl(fd, TUNGETIFF, &found) != 0) return attempt.failure("TAP_FAILED");
  if ((found.ifr_flags & IFF_PERSIST) == 0) return attempt.refusal("TAP_MISSING", "it was removed meanwhile");

  const int size = virtio_header_size, little_endian = 1;
  if (::ioctl(fd, TUNSETVNETHDRSZ, &size) != 0 || ::ioctl(fd, TUNSETVNETLE, &little_endian) != 0 || !set_offloads(fd)) {
    return attempt.failure("TAP_FAILED");
  }
  settle_carrier(name);  // attaching turned it on
  return std::move(opened).value();
}

}  // namespace crosswire::os

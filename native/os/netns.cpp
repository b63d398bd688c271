// SPDX-License-Identifier: Apache-2.0
#include "os/netns.hpp"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <thread>

#include "os/error.hpp"

namespace crosswire::os {

namespace {

constexpr const char* own_namespace = "/proc/thread-self/ns/net";

// Without IPv6 there are no neighbour discovery and no listener reports. A kernel without IPv6 has no such setting.
bool silence_ipv6() {
  const Fd file(::open("/proc/sys/net/ipv6/conf/default/disable_ipv6", O_WRONLY | O_CLOEXEC));
  return file ? ::write(file.get(), "1", 1) == 1 : errno == ENOENT;
}

}  // namespace

Result<Fd> open_namespace(const std::string& path) {
  const char* operation = "open network namespace";
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) {
    const bool missing = errno == ENOENT || errno == ESRCH || errno == ENOTDIR;
    return system_error(missing ? "NAMESPACE_MISSING" : "NAMESPACE_DENIED", operation, path, errno);
  }
  // ioctl_ns(2). A file that is not a namespace answers ENOTTY.
  if (::ioctl(fd.get(), NS_GET_NSTYPE) != CLONE_NEWNET) {
    return Error{"NAMESPACE_INVALID", operation, path, "the file is not a network namespace", 0};
  }
  return fd;
}

Result<Fd> open_namespace_or_own(const std::string& path) {
  return open_namespace(path.empty() ? own_namespace : path);
}

Result<NamespaceIdentity> identify_namespace(const std::string& path) {
  auto fd = open_namespace(path);
  if (!fd) return std::move(fd).error();
  struct stat status {};
  if (::fstat(fd.value().get(), &status) != 0) {
    return system_error("NAMESPACE_INVALID", "identify network namespace", path, errno);
  }
  return NamespaceIdentity{status.st_dev, status.st_ino};
}

Result<Fd> make_namespace() {
  Fd made;
  int failure = 0;
  // A temporary thread enters the new namespace; afterwards, the descriptor keeps the namespace alive.
  std::thread([&] {
    if (::unshare(CLONE_NEWNET) == 0 && silence_ipv6()) made = Fd(::open(own_namespace, O_RDONLY | O_CLOEXEC));
    if (!made) failure = errno;
  }).join();
  if (!made) return system_error("NAMESPACE_DENIED", "make network namespace", "", failure);
  return made;
}

std::string descriptor_path(const Fd& fd) { return "/proc/self/fd/" + std::to_string(fd.get()); }

Result<NamespaceGuard> NamespaceGuard::enter(const std::string& path) {
  if (path.empty()) return NamespaceGuard(Fd());
  auto target = open_namespace(path);
  if (!target) return std::move(target).error();
  auto entered = enter(target.value());
  if (!entered) entered.error().subject = path;
  return entered;
}

Result<NamespaceGuard> NamespaceGuard::enter(const Fd& opened) {
  if (!opened) return NamespaceGuard(Fd());
  auto home = open_namespace(own_namespace);
  if (!home) return std::move(home).error();
  if (::setns(opened.get(), CLONE_NEWNET) != 0) {
    auto error = system_error("NAMESPACE_DENIED", "enter network namespace", "", errno);
    if (error.errno_value == EPERM) error.reason += "; needs CAP_SYS_ADMIN";
    return error;
  }
  return NamespaceGuard(std::move(home).value());
}

NamespaceGuard::~NamespaceGuard() {
  if (home_ && ::setns(home_.get(), CLONE_NEWNET) != 0) std::abort();
}

}  // namespace crosswire::os

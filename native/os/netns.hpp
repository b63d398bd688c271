// SPDX-License-Identifier: Apache-2.0
// Network namespaces: enters one on an addon thread, opens sockets or devices there, and returns.
#pragma once

#include <cstdint>
#include <string>

#include "core/result.hpp"
#include "os/fd.hpp"

namespace crosswire::os {

// What makes two paths the same namespace (namespaces(7)).
struct NamespaceIdentity {
  uint64_t device = 0;
  uint64_t inode = 0;
  bool operator==(const NamespaceIdentity&) const = default;
};

// Opens a namespace by path (/run/netns/NAME, /proc/PID/ns/net). Errors: NAMESPACE_MISSING, NAMESPACE_INVALID (the
// file is no network namespace), NAMESPACE_DENIED.
Result<Fd> open_namespace(const std::string& path);
// As open_namespace(), but '' means the namespace of the calling thread.
Result<Fd> open_namespace_or_own(const std::string& path);
Result<NamespaceIdentity> identify_namespace(const std::string& path);

// A new namespace that only its descriptor keeps alive. IPv6 is off in it, so that the kernel sends nothing there by
// itself; its path is descriptor_path(). Errors: NAMESPACE_DENIED.
Result<Fd> make_namespace();
// The path of a descriptor of this process, valid in this process.
std::string descriptor_path(const Fd& fd);

// While it exists, the calling thread is inside the namespace; an empty path changes nothing. Only for the addon's own
// threads, never for Node's. Errors: those of open_namespace(), and NAMESPACE_DENIED (needs CAP_SYS_ADMIN).
class NamespaceGuard {
 public:
  static Result<NamespaceGuard> enter(const std::string& path);
  static Result<NamespaceGuard> enter(const Fd& opened);  // of open_namespace(); an empty one changes nothing
  NamespaceGuard(NamespaceGuard&&) noexcept = default;
  NamespaceGuard& operator=(NamespaceGuard&&) = delete;
  ~NamespaceGuard();  // aborts the process if it cannot return: a thread in a wrong namespace would act on others'
                      // behalf

 private:
  explicit NamespaceGuard(Fd home) noexcept : home_(std::move(home)) {}
  Fd home_;  // the namespace to return to; empty if the thread never left it
};

}  // namespace crosswire::os

// SPDX-License-Identifier: Apache-2.0
// Network namespaces: enter one on an addon thread, open what belongs there, come back.
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
// The same, '' being that of the calling thread.
Result<Fd> open_namespace_or_own(const std::string& path);
Result<NamespaceIdentity> identify_namespace(const std::string& path);

// A new namespace that its descriptor alone keeps. IPv6 is off in it, so that nobody speaks there unasked; its path is
// descriptor_path(). Errors: NAMESPACE_DENIED.
Result<Fd> make_namespace();
// Of a descriptor of this process, for the process itself.
std::string descriptor_path(const Fd& fd);

// While it lives, the calling thread is inside the namespace; an empty path means: stay. Only for threads of the
// addon's own, never for Node's. Errors: those of open_namespace, and NAMESPACE_DENIED (needs CAP_SYS_ADMIN).
class NamespaceGuard {
 public:
  static Result<NamespaceGuard> enter(const std::string& path);
  static Result<NamespaceGuard> enter(const Fd& opened);  // of open_namespace(); an empty one means: stay
  NamespaceGuard(NamespaceGuard&&) noexcept = default;
  NamespaceGuard& operator=(NamespaceGuard&&) = delete;
  ~NamespaceGuard();  // aborts the process if it cannot come back: a thread in a wrong namespace serves nobody

 private:
  explicit NamespaceGuard(Fd home) noexcept : home_(std::move(home)) {}
  Fd home_;  // where to go back to; empty if we never left
};

}  // namespace crosswire::os

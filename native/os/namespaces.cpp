// SPDX-License-Identifier: Apache-2.0
#include "os/namespaces.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string_view>
#include <utility>

namespace crosswire::os {

namespace {

class Collection {
 public:
  void add(std::string path, const NamespaceIdentity& identity) {
    if (seen_.emplace(identity.device, identity.inode).second) entries_.push_back({std::move(path), identity});
  }
  std::vector<NamespaceEntry> take() { return std::move(entries_); }

 private:
  std::set<std::pair<uint64_t, uint64_t>> seen_;
  std::vector<NamespaceEntry> entries_;
};

std::vector<std::string> children_of(const char* directory) {
  std::vector<std::string> names;
  std::error_code failure;
  for (std::filesystem::directory_iterator at(directory, failure), end; !failure && at != end; at.increment(failure)) {
    names.push_back(at->path().filename());
  }
  // In numeric order: of several processes in a namespace, the oldest names it.
  std::sort(names.begin(), names.end(), [](const auto& a, const auto& b) {
    return std::pair(a.size(), std::string_view(a)) < std::pair(b.size(), std::string_view(b));
  });
  return names;
}

void add_mounted(Collection& found) {
  for (const auto& name : children_of("/run/netns")) {
    const auto path = "/run/netns/" + name;
    // A name on which no namespace is mounted any more is a plain file, which is skipped here.
    if (auto identity = identify_namespace(path)) found.add(path, identity.value());
  }
}

// stat(2) follows the magic link to the namespace itself, without opening it (proc_pid_ns(5)).
void add_of_processes(Collection& found) {
  for (const auto& name : children_of("/proc")) {
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const auto path = "/proc/" + name + "/ns/net";
    struct stat status {};
    if (::stat(path.c_str(), &status) == 0) found.add(path, {status.st_dev, status.st_ino});
  }
}

}  // namespace

std::vector<NamespaceEntry> list_namespaces() {
  Collection found;
  add_mounted(found);
  add_of_processes(found);
  return found.take();
}

}  // namespace crosswire::os

// SPDX-License-Identifier: Apache-2.0
// Control groups that a test creates below the mount of their version, and removes again.
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <sstream>
#include <string>

#include "os/cgroup_programs.hpp"
#include "os/device_access.hpp"
#include "os/grant_records.hpp"
#include "support/device_filter.hpp"

namespace crosswire::test {

// Where control groups of the version that control devices are mounted; empty: nowhere.
inline std::string mount_of(int version) {
  std::ifstream mounts("/proc/self/mounts");
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream words(line);
    std::string source, point, type, options;
    words >> source >> point >> type >> options;
    const bool devices = ("," + options + ",").find(",devices,") != options.npos;
    if (version == 2 ? type == "cgroup2" : type == "cgroup" && devices) return point;
  }
  return {};
}

class TestGroup {
 public:
  explicit TestGroup(const std::string& parent) : path_(parent + "/crosswire-test-" + std::to_string(::getpid())) {
    if (parent.empty() || (::mkdir(path_.c_str(), 0755) != 0 && errno != EEXIST)) path_.clear();
  }
  ~TestGroup() { remove(); }
  TestGroup(const TestGroup&) = delete;
  TestGroup& operator=(const TestGroup&) = delete;

  bool available() const { return !path_.empty(); }
  const std::string& path() const { return path_; }
  void remove() const { ::rmdir(path_.c_str()); }
  os::Fd open() const { return os::Fd(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)); }
  void write(const char* file, const std::string& text) const { std::ofstream(path_ + "/" + file) << text; }

  // As a container runtime does. The kernel keeps the program as long as it is attached.
  bool attach(const std::vector<bpf_insn>& code, const char* name, uint32_t flags = BPF_F_ALLOW_MULTI) const {
    const os::Fd program(load_filter(code, name));
    return program && attach_filter(open().get(), program.get(), flags);
  }

  // errno of a process of the group that opens the device to read and write; 0: it may.
  int opens(const char* device) const {
    const auto processes = path_ + "/cgroup.procs";
    const pid_t child = ::fork();
    if (child == 0) {
      const int file = ::open(processes.c_str(), O_WRONLY);
      if (file < 0 || ::write(file, "0", 1) != 1) ::_exit(255);
      ::_exit(::open(device, O_RDWR) >= 0 ? 0 : errno);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
  }

 private:
  std::string path_;
};

constexpr os::DeviceNode full{1, 7};  // /dev/full
constexpr os::DeviceNode zero{1, 5};
constexpr os::DeviceNode null{1, 3};

}  // namespace crosswire::test

// For a test that needs control groups: reports why there are none, and returns.
#define NEEDS_GROUP(name, parent)                                                                       \
  const crosswire::test::TestGroup name(parent);                                                        \
  if (!name.available()) {                                                                              \
    MESSAGE("skipped: cannot make a control group that decides on devices below '" << (parent) << "'"); \
    return;                                                                                             \
  }

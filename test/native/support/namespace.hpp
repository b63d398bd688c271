// SPDX-License-Identifier: Apache-2.0
// A network namespace that exists as long as the object: a thread unshares and waits.
#pragma once

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <future>
#include <string>
#include <thread>

namespace crosswire::test {

class TestNamespace {
 public:
  TestNamespace() {
    std::promise<std::string> ready;
    auto path = ready.get_future();
    thread_ = std::thread([this, &ready] {
      if (::unshare(CLONE_NEWNET) == 0) {
        ready.set_value("/proc/self/task/" + std::to_string(::syscall(SYS_gettid)) + "/ns/net");
      } else {
        problem_ = std::strerror(errno);
        ready.set_value("");
      }
      finish_.get_future().wait();
    });
    path_ = path.get();
  }
  ~TestNamespace() {
    finish_.set_value();
    thread_.join();
  }
  TestNamespace(const TestNamespace&) = delete;
  TestNamespace& operator=(const TestNamespace&) = delete;

  bool available() const { return !path_.empty(); }
  const std::string& problem() const { return problem_; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  std::string problem_;
  std::promise<void> finish_;
  std::thread thread_;
};

}  // namespace crosswire::test

// For a test that needs namespaces: if this process may not create them, reports why and returns.
#define NEEDS_NAMESPACE(name)                                                \
  crosswire::test::TestNamespace name;                                       \
  if (!name.available()) {                                                   \
    MESSAGE("skipped: cannot make a network namespace: " << name.problem()); \
    return;                                                                  \
  }

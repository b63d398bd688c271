// SPDX-License-Identifier: Apache-2.0
#include "os/device_access.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>

#include "os/device_access_by_version.hpp"
#include "os/error.hpp"

namespace crosswire::os {

namespace {

// Serialises read, change and write of a record. flock(2) on the directory would also exclude other processes, but any
// workload could take that lock and keep it.
std::mutex one_at_a_time;

// The group may be removed at any time: a call in progress then fails with ENODEV (cgroup_kn_lock_live() of the
// kernel).
bool is_gone(const std::string& path, const Error& error) {
  return error.errno_value == ENODEV || ::access(path.c_str(), F_OK) != 0;
}

Result<int> version_of(int directory, const std::string& path) {
  constexpr auto operation = "find out the kind of control group";
  struct statfs system {};
  if (::fstatfs(directory, &system) != 0) return system_error("CGROUP_INVALID", operation, path, errno);
  if (system.f_type == CGROUP2_SUPER_MAGIC) return 2;
  if (system.f_type != CGROUP_SUPER_MAGIC) return Error{"CGROUP_INVALID", operation, path, "it is none", 0};
  if (::faccessat(directory, "devices.list", F_OK, 0) != 0) {
    return Error{"CGROUP_INVALID", operation, path, "its controller is not `devices`", 0};
  }
  return 1;
}

}  // namespace

Result<ControlGroup> open_control_group(const std::string& path) {
  Fd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory) {
    const auto* code = errno == ENOENT || errno == ENODEV ? "CGROUP_MISSING" : "CGROUP_INVALID";
    return system_error(code, "open control group", path, errno);
  }
  const auto version = version_of(directory.get(), path);
  if (!version) return version.error();
  return ControlGroup{path, version.value(), std::move(directory)};
}

Result<DeviceAccess> grant_devices(const std::string& path, const std::string& holder,
                                   const std::vector<DeviceNode>& nodes) {
  const auto group = open_control_group(path);
  if (!group) return group.error();
  const std::scoped_lock lock(one_at_a_time);
  const auto records = read_grant_records(group.value().directory.get(), path);
  if (!records) return records.error();
  const auto grant = group.value().version == 1 ? grant_by_rules : grant_by_program;
  return grant(group.value(), records.value(), holder, nodes);
}

Result<bool> withdraw_devices(const std::string& path, const std::string& holder) {
  const auto group = open_control_group(path);
  if (!group && group.error().code == "CGROUP_MISSING") return false;
  if (!group) return group.error();
  const std::scoped_lock lock(one_at_a_time);
  const auto records = read_grant_records(group.value().directory.get(), path);
  if (!records && is_gone(path, records.error())) return false;
  if (!records) return records.error();
  if (!records.value().contains(holder)) return false;
  const auto withdraw = group.value().version == 1 ? withdraw_rules : withdraw_from_program;
  auto done = withdraw(group.value(), records.value(), holder);
  // The record is erased last: until then, a repeated call finishes an interrupted one.
  if (done) done = write_grant_record(group.value().directory.get(), path, holder, {});
  if (!done && is_gone(path, done.error())) return false;
  if (!done) return done.error();
  return true;
}

}  // namespace crosswire::os

// SPDX-License-Identifier: Apache-2.0
#include "os/grant_records.hpp"

#include <linux/limits.h>
#include <sys/xattr.h>

#include <cerrno>
#include <string_view>

#include "os/error.hpp"

namespace crosswire::os {

namespace {

constexpr std::string_view prefix = "trusted.crosswire.";

Error refused(const char* operation, const std::string& path) {
  return system_error("CGROUP_REFUSED", operation, path, errno);
}

std::string text_of(const std::vector<DeviceRule>& rules) {
  std::string text;
  for (const auto& rule : rules) text += to_string(rule) + "\n";
  return text;
}

}  // namespace

Result<GrantRecords> read_grant_records(int group, const std::string& path) {
  std::string names(XATTR_LIST_MAX, '\0');
  const ssize_t length = ::flistxattr(group, names.data(), names.size());
  if (length < 0) return refused("list extended attributes", path);
  names.resize(static_cast<size_t>(length));
  GrantRecords records;
  for (size_t at = 0; at < names.size(); at = names.find('\0', at) + 1) {
    const std::string name = names.c_str() + at;
    if (!name.starts_with(prefix)) continue;
    std::string text(XATTR_SIZE_MAX, '\0');
    const ssize_t size = ::fgetxattr(group, name.c_str(), text.data(), text.size());
    if (size < 0) return refused("read the record of a grant", path);
    text.resize(static_cast<size_t>(size));
    auto& rules = records[name.substr(prefix.size())];
    rules = parse_rules(text);
    std::erase_if(rules, [](const DeviceRule& rule) { return rule.type != 'c' || !rule.major || !rule.minor; });
  }
  return records;
}

Result<> write_grant_record(int group, const std::string& path, const std::string& holder,
                            const std::vector<DeviceRule>& rules) {
  const auto name = std::string(prefix) + holder;
  if (rules.empty()) {
    if (::fremovexattr(group, name.c_str()) != 0 && errno != ENODATA) return refused("erase a record", path);
    return Done{};
  }
  const auto text = text_of(rules);
  if (::fsetxattr(group, name.c_str(), text.data(), text.size(), 0) != 0) return refused("record a grant", path);
  return Done{};
}

}  // namespace crosswire::os

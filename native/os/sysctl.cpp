// SPDX-License-Identifier: Apache-2.0
#include "os/sysctl.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "os/error.hpp"
#include "os/fd.hpp"
#include "os/netns.hpp"

namespace crosswire::os {

namespace {

constexpr const char* group_range = "/proc/sys/net/ipv4/ping_group_range";  // icmp(7)
constexpr const char* everybody = "0\t2147483647";                          // as the kernel prints it

std::string disable_ipv6_of(const std::string& interface) {
  return "/proc/sys/net/ipv6/conf/" + interface + "/disable_ipv6";
}

// Empty if there is no such setting.
std::string read_setting(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 64> text;
  const ssize_t length = file ? ::read(file.get(), text.data(), text.size()) : 0;
  if (length <= 0) return {};
  std::string value(text.data(), static_cast<size_t>(length));
  while (value.ends_with('\n')) value.pop_back();
  return value;
}

Result<> write_setting(const std::string& path, const std::string& value) {
  const Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file || ::write(file.get(), value.data(), value.size()) < 0) {
    return system_error("SYSCTL_REFUSED", "write " + value, path, errno);
  }
  return Done{};
}

PingSettings read_settings(const std::string& interface) {
  return {read_setting(group_range), read_setting(disable_ipv6_of(interface))};
}

bool allowed(const PingSettings& settings) {
  return settings.group_range == everybody && (settings.disable_ipv6.empty() || settings.disable_ipv6 == "0");
}

}  // namespace

// In most namespaces nobody may ping: one read of the namespace's setting answers for all interfaces.
Result<> read_ping(const std::string& netns, std::vector<InterfaceInfo>& interfaces) {
  if (interfaces.empty()) return Done{};
  const auto inside = NamespaceGuard::enter(netns);
  if (!inside) return inside.error();
  const auto range = read_setting(group_range);
  for (auto& interface : interfaces) {
    interface.allows_ping = range == everybody && allowed({range, read_setting(disable_ipv6_of(interface.name))});
  }
  return Done{};
}

Result<> close_to_stack(const std::string& interface) {
  const std::string ipv4 = "/proc/sys/net/ipv4/conf/" + interface;
  auto written = write_setting(ipv4 + "/rp_filter", "1");
  if (written) written = write_setting(ipv4 + "/forwarding", "0");
  const auto ipv6 = disable_ipv6_of(interface);
  if (written && !read_setting(ipv6).empty()) written = write_setting(ipv6, "1");
  return written;
}

Result<PingSettings> allow_ping(const std::string& netns, const std::string& interface) {
  const auto inside = NamespaceGuard::enter(netns);
  if (!inside) return inside.error();
  auto before = read_settings(interface);
  if (allowed(before)) return before;
  auto written = write_setting(group_range, everybody);
  if (written && !before.disable_ipv6.empty()) written = write_setting(disable_ipv6_of(interface), "0");
  if (!written) return std::move(written).error();
  return before;
}

void restore_ping(const std::string& netns, const std::string& interface, const PingSettings& before) {
  const auto inside = NamespaceGuard::enter(netns);
  if (!inside) return;
  (void)write_setting(group_range, before.group_range);
  if (!before.disable_ipv6.empty()) (void)write_setting(disable_ipv6_of(interface), before.disable_ipv6);
}

}  // namespace crosswire::os

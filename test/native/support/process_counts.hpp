// SPDX-License-Identifier: Apache-2.0
// Counts the resources of this process, to detect leaks.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

namespace crosswire::test {

inline size_t open_descriptors() {
  size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) count++;
  return count;
}

// Lines of /proc/self/maps that contain `name`.
inline size_t memory_mappings(const std::string& name) {
  std::ifstream maps("/proc/self/maps");
  size_t count = 0;
  for (std::string line; std::getline(maps, line);) count += line.find(name) != std::string::npos;
  return count;
}

}  // namespace crosswire::test

// SPDX-License-Identifier: Apache-2.0
#include "os/memory_mapping.hpp"

#include <sys/mman.h>

#include <cerrno>
#include <utility>

#include "os/error.hpp"

namespace crosswire::os {

SharedMapping::Pages::Pages(Pages&& other) noexcept
    : base(std::exchange(other.base, nullptr)), size(std::exchange(other.size, 0)) {}

SharedMapping::Pages::~Pages() {
  if (base != nullptr) ::munmap(base, size);
}

SharedMapping::SharedMapping(void* base, size_t mapped, uint64_t size, std::atomic<bool>& poisoned)
    : data_(static_cast<uint8_t*>(base)), size_(size), pages_(base, mapped), guard_(base, mapped, poisoned) {}

SharedMapping::SharedMapping(SharedMapping&& other) noexcept = default;
SharedMapping::~SharedMapping() = default;

Result<SharedMapping> SharedMapping::map(int fd, uint64_t size, uint64_t page_size, std::atomic<bool>& poisoned) {
  if (size == 0 || page_size == 0 || size > UINT64_MAX / 2) {
    return Error{"MEMORY_FAILED", "map shared memory", "", "a size of nothing or out of range", EINVAL};
  }
  const auto mapped = static_cast<size_t>((size + page_size - 1) / page_size * page_size);
  void* base = ::mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (base == MAP_FAILED) return system_error("MEMORY_FAILED", "map shared memory", "", errno);
  return SharedMapping(base, mapped, size, poisoned);
}

}  // namespace crosswire::os

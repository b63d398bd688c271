// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "core/result.hpp"
#include "os/memory_guard.hpp"

namespace crosswire::os {

// A file mapped shared, for reading and writing, from its beginning; guarded against SIGBUS while it is mapped.
class SharedMapping {
 public:
  // `page_size` of the file's system; `poisoned` is set by the guard and must outlive the mapping.
  static Result<SharedMapping> map(int fd, uint64_t size, uint64_t page_size, std::atomic<bool>& poisoned);

  SharedMapping(SharedMapping&& other) noexcept;
  SharedMapping& operator=(SharedMapping&&) = delete;
  ~SharedMapping();

  uint8_t* data() const noexcept { return data_; }
  uint64_t size() const noexcept { return size_; }

 private:
  // Owns the pages; declared before the guard, so that the guard goes first.
  struct Pages {
    void* base;
    size_t size;
    Pages(void* where, size_t length) noexcept : base(where), size(length) {}
    Pages(Pages&& other) noexcept;
    ~Pages();
  };

  SharedMapping(void* base, size_t mapped, uint64_t size, std::atomic<bool>& poisoned);

  uint8_t* data_;
  uint64_t size_;  // as requested; the pages may extend further
  Pages pages_;
  MemoryGuard guard_;
};

}  // namespace crosswire::os

// SPDX-License-Identifier: Apache-2.0
// Memory as files: our own, and those that a peer sent.
#pragma once

#include <cstdint>
#include <string>

#include "core/result.hpp"
#include "os/fd.hpp"

namespace crosswire::os {

// A memfd of zero bytes, sealed so that nobody can shrink or grow it (memfd_create(2), fcntl(2) F_ADD_SEALS).
Result<Fd> make_memory_file(const std::string& name, uint64_t size);

struct MemoryFileFacts {
  uint64_t page_size = 0;  // of its file system: mappings are multiples of it
};

// Whether `size` bytes of a peer's file can be mapped without risk: it must be a regular file in memory (tmpfs or
// hugetlbfs, so that no fault waits for a FUSE server), readable and writable, long enough, and sealed against
// shrinking. Seals a file that is not sealed yet. `allow_unsealed` accepts a file that cannot be sealed.
Result<MemoryFileFacts> check_memory_file(int fd, uint64_t size, bool allow_unsealed);

}  // namespace crosswire::os

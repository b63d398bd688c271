// SPDX-License-Identifier: Apache-2.0
#include "memory_files.hpp"

#include <fcntl.h>
#include <rte_memory.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace crosswire::bench {

MemoryFiles::MemoryFiles() {
  rte_memseg_walk(
      [](const rte_memseg_list*, const rte_memseg* segment, void* context) {
        auto& kept = *static_cast<std::vector<Kept>*>(context);
        const int place = rte_memseg_get_fd(segment);
        const auto same = [&](const Kept& other) { return other.place == place; };
        if (place >= 0 && std::none_of(kept.begin(), kept.end(), same))
          kept.push_back({place, fcntl(place, F_DUPFD_CLOEXEC, 100)});
        return 0;
      },
      &kept_);
}

MemoryFiles::~MemoryFiles() {
  for (const Kept& file : kept_) close(file.duplicate);
}

void MemoryFiles::put_back() const {
  for (const Kept& file : kept_)
    if (fcntl(file.place, F_GETFD) < 0 && errno == EBADF) dup3(file.duplicate, file.place, O_CLOEXEC);
}

}  // namespace crosswire::bench

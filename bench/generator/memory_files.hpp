// SPDX-License-Identifier: Apache-2.0
// Works around a defect of DPDK's zero-copy memif. It passes the files of DPDK's own memory to the peer, and
// memif_connect() closes them when the first device is connected ("close memseg file", rte_eth_memif.c of 22.11), so
// that a second device cannot connect. This class keeps duplicates of the descriptors and restores them under their
// numbers.
#pragma once

#include <vector>

namespace crosswire::bench {

class MemoryFiles {
 public:
  MemoryFiles();
  ~MemoryFiles();
  MemoryFiles(const MemoryFiles&) = delete;
  MemoryFiles& operator=(const MemoryFiles&) = delete;
  void put_back() const;

 private:
  struct Kept {
    int place;
    int duplicate;
  };
  std::vector<Kept> kept_;
};

}  // namespace crosswire::bench

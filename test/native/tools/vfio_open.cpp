// SPDX-License-Identifier: Apache-2.0
// Opens a device as an application does (Documentation/driver-api/vfio.rst): container, group, memory for DMA, the
// device, and a word of its first region. With a third argument it keeps everything until its stdin ends.
//   vfio_open GROUP PCI [keep]
#include <fcntl.h>
#include <linux/vfio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

int check(const char* what, int result) {
  if (result >= 0) return result;
  std::perror(what);
  std::exit(1);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const int container = check("open /dev/vfio/vfio", ::open("/dev/vfio/vfio", O_RDWR));
  const std::string path = std::string("/dev/vfio/") + argv[1];
  const int group = check(path.c_str(), ::open(path.c_str(), O_RDWR));
  vfio_group_status status{};
  status.argsz = sizeof status;
  check("group status", ::ioctl(group, VFIO_GROUP_GET_STATUS, &status));
  if ((status.flags & VFIO_GROUP_FLAGS_VIABLE) == 0) {
    std::fprintf(stderr, "the group is not viable: some of it has another driver\n");
    return 1;
  }
  check("set container", ::ioctl(group, VFIO_GROUP_SET_CONTAINER, &container));
  check("set IOMMU", ::ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));
  constexpr size_t size = 1 << 20;
  void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  vfio_iommu_type1_dma_map map{};
  map.argsz = sizeof map;
  map.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE;
  map.vaddr = reinterpret_cast<uintptr_t>(memory);
  map.iova = size;
  map.size = size;
  check("map memory", ::ioctl(container, VFIO_IOMMU_MAP_DMA, &map));
  const int device = check("open the device", ::ioctl(group, VFIO_GROUP_GET_DEVICE_FD, argv[2]));
  vfio_region_info region{};
  region.argsz = sizeof region;
  region.index = VFIO_PCI_BAR0_REGION_INDEX;
  check("region", ::ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &region));
  uint32_t word = 0;
  check("read region", static_cast<int>(::pread(device, &word, sizeof word, static_cast<off_t>(region.offset) + 8)));
  std::printf("open, region 0 has %llu bytes, word 2 is 0x%x\n", static_cast<unsigned long long>(region.size), word);
  std::fflush(stdout);
  char byte = 0;
  while (argc > 3 && ::read(0, &byte, 1) > 0) continue;
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
#include "os/memory_file.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>

#include "os/error.hpp"

namespace crosswire::os {
namespace {

Error refuse(std::string reason) { return Error{"MEMORY_REFUSED", "check shared memory", "", std::move(reason), 0}; }

// Set F_SEAL_SHRINK first: only then does the size that fstat(2) returns stay valid.
Result<> check_seals(int fd, bool allow_unsealed) {
  int seals = ::fcntl(fd, F_GET_SEALS);
  if (seals >= 0 && (seals & F_SEAL_SHRINK) == 0) {
    ::fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK);
    seals = ::fcntl(fd, F_GET_SEALS);
  }
  if (seals >= 0 && (seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) != 0) return refuse("it is sealed against writing");
  const bool sealed = seals >= 0 && (seals & F_SEAL_SHRINK) != 0;
  if (!sealed && !allow_unsealed) return refuse("it is not sealed against shrinking (F_SEAL_SHRINK), and cannot be");
  return Done{};
}

}  // namespace

Result<Fd> make_memory_file(const std::string& name, uint64_t size) {
  const char* operation = "create shared memory";
  Fd fd(::memfd_create(name.c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) return system_error("MEMORY_FAILED", operation, name, errno);
  if (::ftruncate(fd.get(), static_cast<off_t>(size)) != 0 ||
      ::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
    return system_error("MEMORY_FAILED", operation, name, errno);
  }
  return fd;
}

Result<MemoryFileFacts> check_memory_file(int fd, uint64_t size, bool allow_unsealed) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || (flags & O_PATH) != 0 || (flags & O_ACCMODE) != O_RDWR) return refuse("it is not open for writing");
  struct statfs system {};
  if (::fstatfs(fd, &system) != 0) return refuse("its file system cannot be told");
  const auto type = static_cast<uint64_t>(system.f_type);
  if (type != TMPFS_MAGIC && type != HUGETLBFS_MAGIC) return refuse("it is not on tmpfs or hugetlbfs");
  if (auto sealed = check_seals(fd, allow_unsealed); !sealed) return std::move(sealed).error();
  struct stat status {};
  if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) return refuse("it is not a regular file");
  if (static_cast<uint64_t>(status.st_size) < size) return refuse("it is shorter than announced");
  return MemoryFileFacts{static_cast<uint64_t>(system.f_bsize)};
}

}  // namespace crosswire::os

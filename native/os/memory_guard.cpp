// SPDX-License-Identifier: Apache-2.0
#include "os/memory_guard.hpp"

#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <mutex>
#include <utility>

namespace crosswire::os {

// One guarded range, published to the handler as a sequence lock: `version` is odd while the entry changes.
struct MemoryGuard::Entry {
  std::atomic<uint32_t> version{0};
  std::atomic<uintptr_t> base{0};
  std::atomic<size_t> size{0};
  std::atomic<std::atomic<bool>*> poisoned{nullptr};
  bool used = false;  // under the table's mutex
};

// Chunks are added and never freed, so the handler walks them without a lock.
struct MemoryGuardTable {
  struct Chunk {
    std::array<MemoryGuard::Entry, 256> entries;
    std::atomic<Chunk*> next{nullptr};
  };

  std::mutex mutex;  // never taken by the handler
  Chunk first;

  MemoryGuard::Entry& take() {
    const std::lock_guard lock(mutex);
    for (Chunk* chunk = &first;; chunk = chunk->next.load(std::memory_order_relaxed)) {
      for (MemoryGuard::Entry& entry : chunk->entries) {
        if (entry.used) continue;
        entry.used = true;
        return entry;
      }
      if (chunk->next.load(std::memory_order_relaxed) == nullptr) {
        chunk->next.store(new Chunk, std::memory_order_release);
      }
    }
  }

  void write(MemoryGuard::Entry& entry, uintptr_t base, size_t size, std::atomic<bool>* poisoned) {
    const uint32_t version = entry.version.load(std::memory_order_relaxed);
    entry.version.exchange(version + 1, std::memory_order_acq_rel);
    entry.base.store(base, std::memory_order_relaxed);
    entry.size.store(size, std::memory_order_relaxed);
    entry.poisoned.store(poisoned, std::memory_order_relaxed);
    entry.version.store(version + 2, std::memory_order_release);
  }

  void give_back(MemoryGuard::Entry& entry) {
    write(entry, 0, 0, nullptr);
    const std::lock_guard lock(mutex);
    entry.used = false;
  }

  // An entry caught while it changes is passed over: it cannot be the one of a range that is being accessed.
  bool contain(uintptr_t address) noexcept {
    for (Chunk* chunk = &first; chunk != nullptr; chunk = chunk->next.load(std::memory_order_acquire)) {
      for (MemoryGuard::Entry& entry : chunk->entries) {
        const uint32_t version = entry.version.load(std::memory_order_acquire);
        const uintptr_t base = entry.base.load(std::memory_order_acquire);
        const size_t size = entry.size.load(std::memory_order_acquire);
        std::atomic<bool>* poisoned = entry.poisoned.load(std::memory_order_acquire);
        if (version % 2 != 0 || entry.version.load(std::memory_order_relaxed) != version) continue;
        if (base == 0 || address - base >= size) continue;
        return replace(base, size, address) && (poisoned->store(true, std::memory_order_relaxed), true);
      }
    }
    return false;
  }

  static bool replace(uintptr_t base, size_t size, uintptr_t address) noexcept {
    if (map_zero(base, size)) return true;
    // Memory accounting may refuse the whole range; the page of the fault is enough.
    return map_zero(address & ~uintptr_t{4095}, 4096);
  }

  static bool map_zero(uintptr_t base, size_t size) noexcept {
    // The raw system call involves no library state, so it is allowed in a signal handler.
    return ::syscall(SYS_mmap, base, size, PROT_READ | PROT_WRITE,
                     MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0L) == static_cast<long>(base);
  }
};

namespace {

MemoryGuardTable& table() {
  static auto* instance = new MemoryGuardTable;  // outlives every thread
  return *instance;
}

MemoryGuardTable* guarded = nullptr;
struct sigaction previous {};

// Returning runs the faulting instruction again: under the default action, which ends the process with the right
// address in its core dump.
void pass_on(int signal, siginfo_t* info, void* context) {
  if ((previous.sa_flags & SA_SIGINFO) != 0 && previous.sa_sigaction != nullptr) {
    previous.sa_sigaction(signal, info, context);
  } else if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
    previous.sa_handler(signal);
  } else {
    struct sigaction standard {};
    standard.sa_handler = SIG_DFL;
    ::sigaction(signal, &standard, nullptr);
    if (info->si_code <= 0) ::raise(signal);  // sent by kill(2): nothing would raise it again
  }
}

// Async-signal-safe: atomics that are lock-free, one raw mmap(2), errno saved. The signal is synchronous, so the
// interrupted code is a plain load or store of peer memory, never the inside of an allocator or of this table.
void on_bus_error(int signal, siginfo_t* info, void* context) {
  const int saved = errno;
  const auto address = reinterpret_cast<uintptr_t>(info->si_addr);
  if (info->si_code <= 0 || !guarded->contain(address)) pass_on(signal, info, context);
  errno = saved;
}

void install_once() {
  static std::once_flag once;
  std::call_once(once, [] {
    guarded = &table();
    struct sigaction action {};
    action.sa_sigaction = on_bus_error;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    ::sigaction(SIGBUS, &action, &previous);
  });
}

}  // namespace

MemoryGuard::MemoryGuard(void* base, size_t size, std::atomic<bool>& poisoned) {
  install_once();
  entry_ = &table().take();
  table().write(*entry_, reinterpret_cast<uintptr_t>(base), size, &poisoned);
}

MemoryGuard::MemoryGuard(MemoryGuard&& other) noexcept : entry_(std::exchange(other.entry_, nullptr)) {}

MemoryGuard::~MemoryGuard() {
  if (entry_ != nullptr) table().give_back(*entry_);
}

}  // namespace crosswire::os

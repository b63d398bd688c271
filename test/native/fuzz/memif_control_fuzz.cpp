// SPDX-License-Identifier: Apache-2.0
// Control records of any kind, in any order, with any descriptors, through both handshakes. Each step is valid unless
// the input corrupts it, so that later states are reached, too.
#include <fcntl.h>
#include <fuzzer/FuzzedDataProvider.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

#include "link/memif/client_handshake.hpp"
#include "link/memif/server_handshake.hpp"

namespace {

using namespace crosswire;         // NOLINT
using namespace crosswire::memif;  // NOLINT

constexpr uint64_t memory_size = 64 * 1024;

// Sealed memory with cookies at the offsets of valid rings; the same unsealed; an eventfd; another file.
int make_memory(unsigned seals) {
  const int file = ::memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (::ftruncate(file, memory_size) != 0) std::abort();
  for (off_t offset = 0; offset < off_t(memory_size); offset += 64) {
    if (::pwrite(file, &ring_cookie, sizeof ring_cookie, offset) < 0) std::abort();
  }
  ::fcntl(file, F_ADD_SEALS, seals);
  return file;
}

const int pool[] = {make_memory(F_SEAL_SHRINK), ::eventfd(0, EFD_NONBLOCK), make_memory(F_SEAL_SEAL),
                    ::open("/dev/null", O_RDWR)};

os::Fd borrow(size_t which) { return os::Fd(::fcntl(pool[which % std::size(pool)], F_DUPFD_CLOEXEC, 0)); }

Message right_message(FuzzedDataProvider& input, uint32_t step, bool for_server) {
  if (for_server) {
    switch (step) {
      case 0: {
        Init init{};
        init.version = protocol_version;
        return encode(MessageType::init, init);
      }
      case 1:
        return encode(MessageType::add_region, AddRegion{0, memory_size});
      case 2:
      case 3:
        return encode(MessageType::add_ring, AddRing{uint16_t(step == 2), 0, 0, (step - 2) * 4096, 4, 0});
      default:
        return encode(input.ConsumeBool() ? MessageType::connect : MessageType::disconnect);
    }
  }
  if (step == 0) {
    Hello hello{};
    hello.min_version = hello.max_version = protocol_version;
    hello.max_log2_ring_size = input.ConsumeIntegral<uint8_t>();
    hello.max_m2s_ring = input.ConsumeIntegral<uint16_t>();
    return encode(MessageType::hello, hello);
  }
  return encode(input.ConsumeIntegralInRange(0, 9) > 1 ? MessageType::ack : MessageType::connected);
}

Record next_record(FuzzedDataProvider& input, uint32_t step, bool for_server) {
  Record record;
  record.bytes.fill(0);
  const Message message = right_message(input, step, for_server);
  std::memcpy(record.bytes.data(), message.data(), message.size());
  record.length = message_size;
  const MessageType type = type_of(message);
  if (type == MessageType::add_region) record.fds.push_back(borrow(0));
  if (type == MessageType::add_ring) record.fds.push_back(borrow(1));

  const uint8_t bends = input.ConsumeIntegral<uint8_t>();
  if ((bends & 0x81) == 0x81) {
    const auto at = input.ConsumeIntegralInRange<size_t>(0, message_size - 1);
    const auto bytes = input.ConsumeBytes<uint8_t>(input.ConsumeIntegralInRange<size_t>(0, message_size - at));
    std::copy(bytes.begin(), bytes.end(), record.bytes.begin() + static_cast<ptrdiff_t>(at));
  }
  if ((bends & 0x82) == 0x82) record.length = input.ConsumeIntegralInRange<size_t>(1, record.bytes.size());
  if ((bends & 0x84) == 0x84) record.fds.clear();
  if ((bends & 0x88) == 0x88) record.fds.push_back(borrow(input.ConsumeIntegral<uint8_t>()));
  if ((bends & 0x90) == 0x90) record.truncated = true;
  return record;
}

template <class Handshake>
void drive(Handshake& handshake, FuzzedDataProvider& input, bool for_server) {
  for (uint32_t step = 0; step < 64 && input.remaining_bytes() > 0; step++) {
    const Step outcome = handshake.take(next_record(input, step, for_server));
    if (outcome.kind == Step::Kind::established) handshake.session();
    if (outcome.kind == Step::Kind::refused && handshake.state() != Handshake::State::failed) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  FuzzedDataProvider input(data, size);
  Options options{.name = "fuzz", .rings = 2, .ring_size = 16, .buffer_size = 256};
  options.allow_unsealed = input.ConsumeBool();
  if (input.ConsumeBool()) {
    ServerHandshake handshake([&](const Init&) { return &options; }, Limits{});
    drive(handshake, input, true);
  } else {
    options.role = Role::client;
    ClientHandshake handshake(options);
    drive(handshake, input, false);
  }
  return 0;
}

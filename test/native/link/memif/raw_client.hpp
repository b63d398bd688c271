// SPDX-License-Identifier: Apache-2.0
// A memif client made of plain system calls, which follows or breaks the protocol exactly as a test says. Shares only
// the message layouts with the product.
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "link/memif/message.hpp"
#include "link/memif/ring.hpp"
#include "os/fd.hpp"

namespace crosswire::test {

struct RawSocket {
  os::Fd fd;

  void send(const void* bytes, size_t length, const std::vector<int>& fds = {}) const {
    iovec data{const_cast<void*>(bytes), length};
    std::vector<char> control(CMSG_SPACE(fds.size() * sizeof(int)));
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    if (!fds.empty()) {
      message.msg_control = control.data();
      message.msg_controllen = control.size();
      cmsghdr* header = CMSG_FIRSTHDR(&message);
      header->cmsg_level = SOL_SOCKET;
      header->cmsg_type = SCM_RIGHTS;
      header->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
      std::memcpy(CMSG_DATA(header), fds.data(), fds.size() * sizeof(int));
    }
    ::sendmsg(fd.get(), &message, MSG_NOSIGNAL);
  }
  void send(const memif::Message& message, const std::vector<int>& fds = {}) const {
    send(message.data(), message.size(), fds);
  }

  // The next message, or nothing: the other side closed (or stayed silent for ten seconds).
  std::optional<memif::Message> next() const {
    pollfd ready{fd.get(), POLLIN, 0};
    if (::poll(&ready, 1, 10'000) != 1) {
      FAIL_CHECK("the other side stays silent");
      return std::nullopt;
    }
    memif::Message message{};
    if (::recv(fd.get(), message.data(), message.size(), 0) != ssize_t(message.size())) return std::nullopt;
    return message;
  }
  memif::MessageType next_type() const {
    const auto message = next();
    return message ? memif::type_of(*message) : memif::MessageType::none;
  }
};

inline sockaddr_un socket_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

class RawClient : public RawSocket {
 public:
  uint64_t size = 1 << 20;
  unsigned seals = F_SEAL_SHRINK;
  uint8_t log2 = 4;
  uint32_t buffer_size = 2048;

  uint8_t* memory = nullptr;
  os::Fd file;
  os::Fd events[2];  // of the S2M and the M2S ring

  explicit RawClient(const std::string& path) {
    fd = os::Fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    const sockaddr_un address = socket_address(path);
    REQUIRE(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(next_type() == memif::MessageType::hello);
  }
  RawClient(const RawClient&) = delete;
  ~RawClient() {
    if (memory != nullptr) ::munmap(memory, size);
  }

  static memif::Message init(uint32_t id = 0, const char* secret = "", uint8_t mode = 0) {
    memif::Init body{};
    body.version = memif::protocol_version;
    body.id = id;
    body.mode = mode;
    std::memcpy(body.secret, secret, std::strlen(secret));
    memif::set_text(body.name, "raw\x1b[31m");
    return encode(memif::MessageType::init, body);
  }
  static memif::Message region(uint16_t index, uint64_t bytes) {
    return encode(memif::MessageType::add_region, memif::AddRegion{index, bytes});
  }
  static memif::Message ring(const memif::AddRing& body) { return encode(memif::MessageType::add_ring, body); }

  uint32_t ring_offset(int number) const { return uint32_t(number) * uint32_t(memif::ring_bytes(1u << log2)); }
  memif::AddRing ring_body(bool to_server) const {
    return {to_server ? memif::ring_flag_s2m : uint16_t{0}, 0, 0, ring_offset(to_server ? 0 : 1), log2, 0};
  }

  void make_memory() {
    file = os::Fd(::memfd_create("raw", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    REQUIRE(::ftruncate(file.get(), off_t(size)) == 0);
    if (seals != 0) REQUIRE(::fcntl(file.get(), F_ADD_SEALS, seals) == 0);
    memory = static_cast<uint8_t*>(::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0));
    REQUIRE(memory != MAP_FAILED);
    for (int number : {0, 1}) {
      header(number).cookie = memif::ring_cookie;
      events[number] = os::Fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    }
  }

  // Performs the handshake up to the ACK of the named step; every ACK must come.
  void say_init() {
    send(init());
    REQUIRE(next_type() == memif::MessageType::ack);
  }
  void say_region() {
    if (memory == nullptr) make_memory();
    send(region(0, size), {file.get()});
    REQUIRE(next_type() == memif::MessageType::ack);
  }
  void say_rings() {
    for (int number : {0, 1}) {
      send(ring(ring_body(number == 0)), {events[number].get()});
      REQUIRE(next_type() == memif::MessageType::ack);
    }
  }
  void say_connect() {
    send(encode(memif::MessageType::connect, memif::Connect{}));
    REQUIRE(next_type() == memif::MessageType::connected);
  }
  void shake_hands() {
    say_init();
    say_region();
    say_rings();
    say_connect();
    offer_all();
  }

  // The DISCONNECT that ends the connection: its text. "" if there was none.
  std::string refusal() const {
    std::string text;
    while (const auto message = next()) {
      if (memif::type_of(*message) == memif::MessageType::disconnect) {
        text = memif::decode<memif::Disconnect>(*message).text;
      }
    }
    return text;
  }

  // Ring 0 is S2M, ring 1 is M2S.
  memif::RingHeader& header(int number) const {
    return *reinterpret_cast<memif::RingHeader*>(memory + ring_offset(number));
  }
  memif::Descriptor& slot(int number, uint16_t counter) const {
    auto* slots = reinterpret_cast<memif::Descriptor*>(memory + ring_offset(number) + sizeof(memif::RingHeader));
    return slots[counter & ((1u << log2) - 1)];
  }
  uint32_t buffer(int number, uint16_t counter) const {
    const uint32_t slots = 1u << log2;
    return ring_offset(2) + (uint32_t(number) * slots + (counter & (slots - 1))) * buffer_size;
  }
  uint16_t head(int number) const { return memif::load_index(header(number).head); }
  uint16_t tail(int number) const { return memif::load_index(header(number).tail); }
  void set_head(int number, uint16_t value) const { memif::publish_index(header(number).head, value); }

  void put(uint16_t counter, uint16_t flags, uint16_t in_region, uint32_t length, uint32_t offset) const {
    memif::store_slot(slot(0, counter), {memif::slot_what(flags, in_region, length), offset});
  }
  // A right frame of one slot, filled with `value`.
  void put_frame(uint16_t counter, uint32_t length, uint8_t value) const {
    std::memset(memory + buffer(0, counter), value, length);
    put(counter, 0, 0, length, buffer(0, counter));
  }
  void send_frame(uint32_t length, uint8_t value) const {
    put_frame(head(0), length, value);
    set_head(0, uint16_t(head(0) + 1));
  }
  void offer_all() const {
    for (uint32_t i = 0; i < 1u << log2; i++) {
      memif::store_slot(slot(1, uint16_t(i)), {memif::slot_what(0, 0, buffer_size), buffer(1, uint16_t(i))});
    }
    set_head(1, uint16_t(1u << log2));
  }
};

}  // namespace crosswire::test

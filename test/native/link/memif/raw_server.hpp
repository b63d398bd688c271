// SPDX-License-Identifier: Apache-2.0
// A memif server made of plain system calls, which follows or breaks the protocol exactly as a test says.
#pragma once

#include <sys/stat.h>

#include <vector>

#include "raw_client.hpp"

namespace crosswire::test {

// What one client announced, and its memory, mapped.
class RawServer : public RawSocket {
 public:
  explicit RawServer(const std::string& path) {
    listener_ = os::Fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    const sockaddr_un address = socket_address(path);
    REQUIRE(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(listener_.get(), 1) == 0);
  }
  RawServer(const RawServer&) = delete;
  ~RawServer() { forget(); }

  void accept() {
    pollfd ready{listener_.get(), POLLIN, 0};
    REQUIRE(::poll(&ready, 1, 10'000) == 1);
    forget();
    fd = os::Fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    REQUIRE(fd);
  }

  static memif::Hello hello_body() {
    memif::Hello hello{};
    memif::set_text(hello.name, "raw server");
    hello.min_version = hello.max_version = memif::protocol_version;
    hello.max_region = hello.max_m2s_ring = hello.max_s2m_ring = 255;
    hello.max_log2_ring_size = 14;
    return hello;
  }
  static memif::Message hello(const memif::Hello& body) { return memif::encode(memif::MessageType::hello, body); }

  // The next message with the descriptor it carries.
  memif::Message take() {
    memif::Message message{};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    iovec data{message.data(), message.size()};
    msghdr header{};
    header.msg_iov = &data;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    REQUIRE(::recvmsg(fd.get(), &header, MSG_CMSG_CLOEXEC) == ssize_t(message.size()));
    carried.reset();
    if (const cmsghdr* rights = CMSG_FIRSTHDR(&header)) {
      int received = -1;
      std::memcpy(&received, CMSG_DATA(rights), sizeof received);
      carried = os::Fd(received);
    }
    return message;
  }
  void ack() const { send(memif::encode(memif::MessageType::ack)); }
  void connected() const { send(memif::encode(memif::MessageType::connected, memif::Connect{})); }

  // A valid handshake up to the client's CONNECT.
  void shake_hands_until_connect(const memif::Hello& body = hello_body()) {
    accept();
    send(hello(body));
    for (;;) {
      const memif::Message message = take();
      const auto type = memif::type_of(message);
      if (type == memif::MessageType::connect) return;
      if (type == memif::MessageType::add_region) {
        file = std::move(carried);
        size = memif::decode<memif::AddRegion>(message).size;
        memory = static_cast<uint8_t*>(::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0));
        REQUIRE(memory != MAP_FAILED);
      }
      if (type == memif::MessageType::add_ring) {
        rings.push_back(memif::decode<memif::AddRing>(message));
        events.push_back(std::move(carried));
      }
      ack();
    }
  }

  memif::RingHeader& header(size_t number) const {
    return *reinterpret_cast<memif::RingHeader*>(memory + rings[number].offset);
  }
  memif::Descriptor& slot(size_t number, uint16_t counter) const {
    auto* slots = reinterpret_cast<memif::Descriptor*>(memory + rings[number].offset + sizeof(memif::RingHeader));
    return slots[counter & ((1u << rings[number].log2_ring_size) - 1)];
  }
  uint16_t head(size_t number) const { return memif::load_index(header(number).head); }
  void set_tail(size_t number, uint16_t value) const { memif::publish_index(header(number).tail, value); }

  uint8_t* memory = nullptr;
  uint64_t size = 0;
  os::Fd file, carried;
  std::vector<memif::AddRing> rings;
  std::vector<os::Fd> events;

 private:
  void forget() {
    if (memory != nullptr) ::munmap(memory, size);
    memory = nullptr;
    rings.clear();
    events.clear();
  }

  os::Fd listener_;
};

}  // namespace crosswire::test

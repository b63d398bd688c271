// SPDX-License-Identifier: Apache-2.0
// Sends and collects raw Ethernet frames on interfaces of the namespace it runs in (packet(7)). For tests and the demo
// only; it prints one JSON object.
//
//   frame_tool send  FILE.pcap INTERFACE                 every frame of the capture, in order, once
//   frame_tool flood COUNT LENGTH INTERFACE=TAG...       COUNT frames of LENGTH bytes each, tag and sequence inside
//   frame_tool watch MILLISECONDS INTERFACE=TAG...       counts tagged frames until that long nothing came: own,
//   foreign, disorder
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace {

// Our EtherType: IEEE Std 802 "local experimental 1". Behind the header: magic, tag, sequence, all big endian.
constexpr uint16_t experimental = 0x88b5;
constexpr uint32_t magic = 0x43575446;
constexpr size_t tagged_header = 14 + 4 + 4 + 8;

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "frame_tool: %s: %s\n", what.c_str(), std::strerror(errno));
  std::exit(1);
}

int open_interface(const std::string& name) {
  const int fd = ::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("open packet socket");
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = static_cast<int>(if_nametoindex(name.c_str()));
  if (address.sll_ifindex == 0) fail("find interface " + name);
  const int buffer = 64 << 20;
  ::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) fail("bind to " + name);
  return fd;
}

// False if the interface's queue refused the frame (ENOBUFS): it was not sent.
bool send_frame(int fd, const std::vector<uint8_t>& frame) {
  for (;;) {
    if (::send(fd, frame.data(), frame.size(), 0) >= 0) return true;
    if (errno == ENOBUFS) return false;
    if (errno != EINTR && errno != EAGAIN) fail("send");
  }
}

std::vector<std::vector<uint8_t>> read_capture(const char* path) {
  std::ifstream file(path, std::ios::binary);
  uint32_t header[6];  // pcap file header: magic, version, zone, accuracy, snap length, link type
  if (!file.read(reinterpret_cast<char*>(header), sizeof header) || header[0] != 0xa1b2c3d4) fail("read capture");
  std::vector<std::vector<uint8_t>> frames;
  uint32_t record[4];  // seconds, microseconds, captured length, original length
  while (file.read(reinterpret_cast<char*>(record), sizeof record)) {
    std::vector<uint8_t> frame(record[2]);
    if (!file.read(reinterpret_cast<char*>(frame.data()), record[2])) fail("read frame");
    frames.push_back(std::move(frame));
  }
  return frames;
}

struct Tagged {
  std::string name;
  uint32_t tag;
  int fd;
  uint64_t own = 0, foreign = 0, disorder = 0, next = 0;
};

std::vector<Tagged> open_tagged(int count, char** arguments) {
  std::vector<Tagged> all;
  for (int i = 0; i < count; ++i) {
    const std::string text = arguments[i];
    const size_t split = text.find('=');
    if (split == std::string::npos) fail("expected INTERFACE=TAG, got " + text);
    const std::string name = text.substr(0, split);
    all.push_back({name, static_cast<uint32_t>(std::stoul(text.substr(split + 1))), open_interface(name)});
  }
  return all;
}

void put32(uint8_t* at, uint32_t value) {
  value = htonl(value);
  std::memcpy(at, &value, 4);
}
uint32_t get32(const uint8_t* at) {
  uint32_t value;
  std::memcpy(&value, at, 4);
  return ntohl(value);
}

int send_capture(const char* path, const char* name) {
  const int fd = open_interface(name);
  uint64_t sent = 0;
  for (const auto& frame : read_capture(path)) {
    while (!send_frame(fd, frame)) ::usleep(100);
    ++sent;
  }
  std::printf("{\"sent\":%llu}\n", static_cast<unsigned long long>(sent));
  return 0;
}

int flood(uint64_t count, size_t length, std::vector<Tagged> interfaces) {
  std::vector<uint8_t> frame(std::max(length, tagged_header), 0);
  std::memset(frame.data(), 0xff, 6);
  frame[6] = 0x02;
  frame[12] = experimental >> 8;
  frame[13] = experimental & 0xff;
  put32(&frame[14], magic);
  uint64_t sent = 0, refused = 0;
  for (uint64_t sequence = 0; sequence < count; ++sequence) {
    for (auto& each : interfaces) {
      put32(&frame[18], each.tag);
      put32(&frame[22], static_cast<uint32_t>(sequence >> 32));
      put32(&frame[26], static_cast<uint32_t>(sequence));
      send_frame(each.fd, frame) ? ++sent : ++refused;
    }
  }
  std::printf("{\"sent\":%llu,\"refused\":%llu}\n", static_cast<unsigned long long>(sent),
              static_cast<unsigned long long>(refused));
  return 0;
}

void note_frame(Tagged& at, const uint8_t* frame, size_t length) {
  if (length < tagged_header || frame[12] != experimental >> 8 || frame[13] != (experimental & 0xff)) return;
  if (get32(frame + 14) != magic) return;
  const uint64_t sequence = uint64_t{get32(frame + 22)} << 32 | get32(frame + 26);
  if (get32(frame + 18) != at.tag) {
    ++at.foreign;
    return;
  }
  ++at.own;
  if (sequence < at.next) ++at.disorder;
  at.next = sequence + 1;
}

int watch(int quiet_ms, std::vector<Tagged> interfaces) {
  std::vector<pollfd> polls;
  for (const auto& each : interfaces) polls.push_back({each.fd, POLLIN, 0});
  std::printf("ready\n");
  std::fflush(stdout);
  bool any = false;
  std::vector<uint8_t> buffer(1 << 16);
  for (;;) {
    const int ready = ::poll(polls.data(), polls.size(), any ? quiet_ms : 30000);
    if (ready < 0 && errno != EINTR) fail("poll");
    if (ready == 0) break;
    for (size_t i = 0; i < polls.size(); ++i) {
      if ((polls[i].revents & POLLIN) == 0) continue;
      sockaddr_ll from{};
      socklen_t size = sizeof from;
      const ssize_t length = ::recvfrom(polls[i].fd, buffer.data(), buffer.size(), MSG_DONTWAIT,
                                        reinterpret_cast<sockaddr*>(&from), &size);
      if (length <= 0 || from.sll_pkttype == PACKET_OUTGOING) continue;
      any = true;
      note_frame(interfaces[i], buffer.data(), static_cast<size_t>(length));
    }
  }
  std::printf("[");
  for (size_t i = 0; i < interfaces.size(); ++i) {
    const auto& each = interfaces[i];
    tpacket_stats statistics{};
    socklen_t size = sizeof statistics;
    ::getsockopt(each.fd, SOL_PACKET, PACKET_STATISTICS, &statistics, &size);
    std::printf("%s{\"interface\":\"%s\",\"own\":%llu,\"foreign\":%llu,\"disorder\":%llu,\"missed\":%u}", i ? "," : "",
                each.name.c_str(), static_cast<unsigned long long>(each.own),
                static_cast<unsigned long long>(each.foreign), static_cast<unsigned long long>(each.disorder),
                statistics.tp_drops);
  }
  std::printf("]\n");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string verb = argc > 1 ? argv[1] : "";
  if (verb == "send" && argc == 4) return send_capture(argv[2], argv[3]);
  if (verb == "flood" && argc > 4)
    return flood(std::stoull(argv[2]), std::stoul(argv[3]), open_tagged(argc - 4, argv + 4));
  if (verb == "watch" && argc > 3) return watch(std::stoi(argv[2]), open_tagged(argc - 3, argv + 3));
  std::fprintf(
      stderr,
      "usage: frame_tool send FILE INTERFACE | flood COUNT LENGTH INTERFACE=TAG... | watch MS INTERFACE=TAG...\n");
  return 2;
}

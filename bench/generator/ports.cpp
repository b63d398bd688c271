// SPDX-License-Identifier: Apache-2.0
#include "ports.hpp"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "memory_files.hpp"

namespace crosswire::bench {
namespace {

constexpr auto longest_connect = std::chrono::seconds(10);
constexpr unsigned pool_cache = 512;  // the maximum, so that bursts are allocated and freed without the pool's ring

// The largest client ring has 2^14 slots; zero copy keeps a buffer in every slot of both rings.
unsigned buffers_of(const Options& options) {
  return static_cast<unsigned>(options.pairs.size()) * 4 * (1U << options.ring_log) + 2048;
}

unsigned data_room(const Options& options) { return options.buffer_size + RTE_PKTMBUF_HEADROOM; }

rte_mempool* make_pool(const char* name, const Options& options) {
  rte_mempool* pool = rte_pktmbuf_pool_create(name, buffers_of(options), pool_cache, 0,
                                              static_cast<uint16_t>(data_room(options)), SOCKET_ID_ANY);
  if (pool == nullptr) fail(std::string("cannot make the pool ") + name + ": " + rte_strerror(rte_errno));
  return pool;
}

std::string device(const Options& options, size_t index, const Attachment& at, bool server) {
  return "--vdev=net_memif" + std::to_string(index) + ",role=" + (server ? "server" : "client") +
         ",id=" + std::to_string(at.id) + ",socket=" + at.socket +
         ",socket-abstract=no,rsize=" + std::to_string(options.ring_log) +
         ",bsize=" + std::to_string(options.buffer_size) + (options.zero_copy && !server ? ",zero-copy=yes" : "");
}

// One logical core, so that all threads, including DPDK's control thread, run on one CPU.
void start_dpdk(const Options& options) {
  const uint64_t memory = 2 * uint64_t{buffers_of(options)} * (data_room(options) + 512);
  std::vector<std::string> words = {"bench_generator",
                                    "--lcores=0@" + std::to_string(options.cpu),
                                    "--no-huge",
                                    "-m",
                                    std::to_string(128 + (memory >> 20)),
                                    "--no-pci",
                                    "--no-telemetry",
                                    "--log-level=error",
                                    "--file-prefix=crosswire-bench-" + std::to_string(getpid())};
  if (options.zero_copy) words.push_back("--single-file-segments");
  for (size_t i = 0; i < options.pairs.size(); i++) {
    words.push_back(device(options, 2 * i, options.pairs[i].from, options.loop));
    words.push_back(device(options, 2 * i + 1, options.pairs[i].to, false));
  }
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  if (rte_eal_init(static_cast<int>(arguments.size()), arguments.data()) < 0)
    fail(std::string("DPDK does not start: ") + rte_strerror(rte_errno));
}

uint16_t set_up(const Options& options, size_t index, rte_mempool* pool) {
  const std::string name = "net_memif" + std::to_string(index);
  uint16_t port = 0;
  if (rte_eth_dev_get_port_by_name(name.c_str(), &port) != 0) fail("DPDK made no device " + name);
  const rte_eth_conf configuration = {};
  const auto slots = static_cast<uint16_t>(1U << options.ring_log);
  if (rte_eth_dev_configure(port, 1, 1, &configuration) != 0) fail(name + " cannot be configured");
  if (rte_eth_rx_queue_setup(port, 0, slots, SOCKET_ID_ANY, nullptr, pool) != 0) fail(name + " takes no receive queue");
  if (rte_eth_tx_queue_setup(port, 0, slots, SOCKET_ID_ANY, nullptr) != 0) fail(name + " takes no send queue");
  return port;
}

// Restarts the port until it is connected: a DPDK client tries to connect only once, when it starts.
void connect(uint16_t port, const MemoryFiles& files, std::chrono::steady_clock::time_point deadline) {
  files.put_back();
  int started = rte_eth_dev_start(port);
  while (true) {
    rte_eth_link link = {};
    for (int i = 0; i < 50 && started == 0; i++) {
      if (rte_eth_link_get_nowait(port, &link) == 0 && link.link_status == RTE_ETH_LINK_UP) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    if (std::chrono::steady_clock::now() > deadline)
      fail("port " + std::to_string(port) + " was not connected in time");
    if (started == 0) rte_eth_dev_stop(port);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    files.put_back();
    started = rte_eth_dev_start(port);
  }
}

}  // namespace

std::vector<PortPair> open_ports(const Options& options) {
  start_dpdk(options);
  rte_mempool* pool = make_pool("receiving", options);
  std::vector<PortPair> ports;
  for (size_t i = 0; i < options.pairs.size(); i++)
    ports.push_back({set_up(options, 2 * i, pool), set_up(options, 2 * i + 1, pool)});
  const auto deadline = std::chrono::steady_clock::now() + longest_connect;
  const MemoryFiles files;
  for (const PortPair& pair : ports) {
    if (options.loop && rte_eth_dev_start(pair.from) != 0) fail("the server of the loop does not start");
    if (!options.loop) connect(pair.from, files, deadline);
    connect(pair.to, files, deadline);
  }
  return ports;
}

rte_mempool* make_sending_pool(const Options& options, const Pattern& pattern) {
  struct Filling {
    const Pattern& pattern;
    uint32_t size;
  } filling{pattern, std::min(options.buffer_size, most_frame)};
  rte_mempool* pool = make_pool("sending", options);
  rte_mempool_obj_iter(
      pool,
      [](rte_mempool*, void* context, void* object, unsigned number) {
        const auto& [bytes, size] = *static_cast<Filling*>(context);
        auto* frame = static_cast<uint8_t*>(static_cast<rte_mbuf*>(object)->buf_addr) + RTE_PKTMBUF_HEADROOM;
        bytes.fill(frame, size, number);
      },
      &filling);
  return pool;
}

}  // namespace crosswire::bench

// SPDX-License-Identifier: Apache-2.0
#include "line.hpp"

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_prefetch.h>

#include <algorithm>
#include <cstring>

namespace crosswire::bench {

Line::Line(const PortPair& ports, uint16_t number, const Pattern& pattern, rte_mempool* pool, bool zero_copy)
    : ports_(ports), number_(number), zero_copy_(zero_copy), pattern_(pattern), pool_(pool) {
  // Copied out at once, so the same buffers serve for every burst: send() keeps a reference to each.
  if (!zero_copy_) prepare(burst_size);
}

bool Line::prepare(uint16_t count) {
  if (prepared_ >= count) return true;
  if (rte_pktmbuf_alloc_bulk(pool_, ready_.data() + prepared_, count - prepared_) != 0) return false;
  prepared_ = count;
  return true;
}

#if defined(__x86_64__)
[[gnu::target("prfchw")]]  // or it would become a prefetch for reading, and the write would wait all the same
#endif
void Line::fetch() {
  if (zero_copy_ && prepared_ < burst_size && !prepare(burst_size)) return;
  for (uint16_t i = 0; i < prepared_; i++) __builtin_prefetch(rte_pktmbuf_mtod(ready_[i], void*), 1);
}

uint16_t Line::send(uint16_t count, const std::vector<uint32_t>& sizes, uint64_t time, double step) {
  count = std::min(count, burst_size);
  if (!prepare(count)) return 0;
  for (uint16_t i = 0; i < count; i++) {
    rte_mbuf& buffer = *ready_[i];
    auto& stamp = *rte_pktmbuf_mtod(&buffer, Stamp*);
    const uint32_t size = sizes.size() == 1 ? sizes[0] : sizes[(next_ + i) % sizes.size()];
    stamp.wire = number_;
    stamp.length = static_cast<uint16_t>(size);
    stamp.sequence = next_ + i;
    stamp.time = time + static_cast<uint64_t>(step * i);
    buffer.data_len = static_cast<uint16_t>(size);
    buffer.pkt_len = size;
    if (!zero_copy_) rte_mbuf_refcnt_set(&buffer, 2);
  }
  const uint16_t taken = rte_eth_tx_burst(ports_.from, 0, ready_.data(), count);
  next_ += taken;
  tally.sent += taken;
  if (!zero_copy_) {
    for (uint16_t i = taken; i < count; i++) rte_mbuf_refcnt_set(ready_[i], 1);
  } else {
    std::copy(ready_.begin() + taken, ready_.begin() + prepared_, ready_.begin());
    prepared_ = static_cast<uint16_t>(prepared_ - taken);
  }
  return taken;
}

uint16_t Line::receive(Histogram* latencies, double nanoseconds_per_cycle) {
  rte_mbuf* burst[burst_size];
  const uint16_t count = rte_eth_rx_burst(ports_.to, 0, burst, burst_size);
  if (count == 0) return 0;
  const uint64_t now = latencies == nullptr ? 0 : rte_rdtsc();
  // The forwarder's CPU has these lines; fetched together they take hardly longer than one.
  for (uint16_t i = 0; i < count; i++) rte_prefetch0(rte_pktmbuf_mtod(burst[i], void*));
  for (uint16_t i = 0; i < count; i++) check(*burst[i], latencies, nanoseconds_per_cycle, now);
  rte_pktmbuf_free_bulk(burst, count);
  return count;
}

void Line::check(const rte_mbuf& buffer, Histogram* latencies, double nanoseconds_per_cycle, uint64_t now) {
  const auto* frame = rte_pktmbuf_mtod(&buffer, const uint8_t*);
  if (buffer.nb_segs != 1 || !pattern_.intact(frame, buffer.data_len)) {
    tally.corrupt++;
    return;
  }
  const auto& stamp = *reinterpret_cast<const Stamp*>(frame);
  if (stamp.wire != number_ || stamp.sequence < awaited_ || stamp.sequence >= next_) {
    tally.misplaced++;
    return;
  }
  tally.lost += stamp.sequence - awaited_;
  awaited_ = stamp.sequence + 1;
  tally.received++;
  tally.bytes += buffer.data_len;
  if (latencies == nullptr) return;
  const uint64_t cycles = now > stamp.time ? now - stamp.time : 0;
  latencies->add(static_cast<uint64_t>(static_cast<double>(cycles) * nanoseconds_per_cycle));
}

void Line::give_up() {
  tally.lost += in_flight();
  awaited_ = next_;
}

}  // namespace crosswire::bench

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
  // Without zero copy the driver copies at once, so that the same buffers serve every burst: send() keeps a reference
  // to each.
  if (!zero_copy_) prepare(most_burst);
}

// Takes buffers without resetting them: a freed buffer is already in the state of rte_pktmbuf_alloc()
// (rte_mbuf_raw_alloc()).
bool Line::prepare(uint16_t count) {
  if (prepared_ >= count) return true;
  auto** first = reinterpret_cast<void**>(ready_.data() + prepared_);
  if (rte_mempool_get_bulk(pool_, first, count - prepared_) != 0) return false;
  prepared_ = count;
  return true;
}

#if defined(__x86_64__)
[[gnu::target("prfchw")]]  // otherwise it becomes a prefetch for reading, and the write still waits
#endif
void Line::fetch(uint16_t count) {
  if (!prepare(count)) return;
  for (uint16_t i = 0; i < count; i++) __builtin_prefetch(rte_pktmbuf_mtod(ready_[i], void*), 1);
}

uint16_t Line::send(uint16_t count, const std::vector<uint32_t>& sizes, uint64_t time, double step) {
  count = std::min(count, most_burst);
  if (!prepare(count)) return 0;
  const uint64_t first = next_;
  const bool mixed = sizes.size() > 1;
  uint32_t size = sizes[0];
  for (uint16_t i = 0; i < count; i++) {
    rte_mbuf& buffer = *ready_[i];
    if (mixed) size = sizes[(first + i) % sizes.size()];
    auto& stamp = *rte_pktmbuf_mtod(&buffer, Stamp*);
    stamp.wire = number_;
    stamp.length = static_cast<uint16_t>(size);
    stamp.sequence = first + i;
    stamp.time = time + static_cast<uint64_t>(step * i);
    buffer.data_len = static_cast<uint16_t>(size);
    buffer.pkt_len = size;
    if (!zero_copy_) rte_mbuf_refcnt_set(&buffer, 2);
  }
  const uint16_t sent = rte_eth_tx_burst(ports_.from, 0, ready_.data(), count);
  next_ += sent;
  tally.sent += sent;
  if (!zero_copy_) {
    for (uint16_t i = sent; i < count; i++) rte_mbuf_refcnt_set(ready_[i], 1);
  } else {
    std::copy(ready_.begin() + sent, ready_.begin() + prepared_, ready_.begin());
    prepared_ = static_cast<uint16_t>(prepared_ - sent);
  }
  return sent;
}

uint16_t Line::take(uint16_t most) {
  unchecked_ = rte_eth_rx_burst(ports_.to, 0, taken_.data(), std::min(most, most_burst));
  // The forwarder's CPU has these cache lines; fetching them together takes hardly longer than fetching one.
  for (uint16_t i = 0; i < unchecked_; i++) rte_prefetch0(rte_pktmbuf_mtod(taken_[i], void*));
  return unchecked_;
}

void Line::check(Histogram* latencies, double nanoseconds_per_cycle) {
  if (unchecked_ == 0) return;
  const uint64_t now = latencies == nullptr ? 0 : rte_rdtsc();
  bool whole = true;
  for (uint16_t i = 0; i < unchecked_; i++) {
    const rte_mbuf& buffer = *taken_[i];
    whole = whole && buffer.nb_segs == 1;
    if (!check(buffer) || latencies == nullptr) continue;
    const uint64_t due = rte_pktmbuf_mtod(&buffer, const Stamp*)->time;
    latencies->add(static_cast<uint64_t>(static_cast<double>(now > due ? now - due : 0) * nanoseconds_per_cycle));
  }
  // Nothing else refers to these buffers, so unless there are chains they return to the pool in bulk.
  if (whole)
    rte_mempool_put_bulk(taken_[0]->pool, reinterpret_cast<void* const*>(taken_.data()), unchecked_);
  else
    rte_pktmbuf_free_bulk(taken_.data(), unchecked_);
  unchecked_ = 0;
}

bool Line::check(const rte_mbuf& buffer) {
  const auto* frame = rte_pktmbuf_mtod(&buffer, const uint8_t*);
  if (buffer.nb_segs != 1 || !pattern_.intact(frame, buffer.data_len)) {
    tally.corrupt++;
    return false;
  }
  const auto& stamp = *reinterpret_cast<const Stamp*>(frame);
  if (stamp.wire != number_ || stamp.sequence < awaited_ || stamp.sequence >= next_) {
    tally.misplaced++;
    return false;
  }
  tally.lost += stamp.sequence - awaited_;
  awaited_ = stamp.sequence + 1;
  tally.received++;
  tally.bytes += buffer.data_len;
  return true;
}

void Line::give_up() {
  tally.lost += in_flight();
  awaited_ = next_;
}

}  // namespace crosswire::bench

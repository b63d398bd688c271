// SPDX-License-Identifier: Apache-2.0
// The catalogue of drop reasons. A test compares the engine's part with native/core/drop_reason.hpp.

export const engineDropReasons = {
  tx_full: 'the receiver of the frame had no room (memif ring full, tap queue full)',
  too_big: 'longer than the receiving end takes',
  too_short: 'shorter than its own header',
  bad_desc: 'a memif descriptor pointed outside its region, had length 0 or an endless chain',
  bad_index: 'a memif peer moved its ring index further than the ring is long; the frames between are skipped',
  bad_checksum: 'the place of an unfinished checksum is outside the frame',
  bad_offload: "a segmentation request that the frame's own headers contradict",
  bad_payload: 'not an IPv4 or IPv6 packet on a wire of payload ip',
  link_down: 'the receiving end has no peer, or its interface is down',
  io_error: 'the kernel refused the frame for another reason',
} as const;

export const kernelDropReasons = {
  kernel_queue: "dropped by the kernel in the wire's own interface: queue full, or the other end was down",
  tunnel_error: 'the kernel could not send it into the tunnel (no route to the remote), or it came out malformed',
} as const;

export const dropReasons = { ...engineDropReasons, ...kernelDropReasons };
export type EngineDropReason = keyof typeof engineDropReasons;
export type DropReason = keyof typeof dropReasons;

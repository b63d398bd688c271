// SPDX-License-Identifier: Apache-2.0
// The catalogue of drop reasons. The engine's part is held equal to native/core/drop_reason.hpp by a test.

export const engineDropReasons = {
  tx_full: 'the receiver of the frame had no room (memif ring full, tap queue full)',
  too_big: 'longer than the receiving end takes',
  too_short: 'shorter than its own header',
  bad_desc: 'a memif descriptor pointed outside its region, had no length or an endless chain',
  bad_index: 'a memif peer moved its ring index further than the ring is long; what lay between is skipped',
  bad_checksum: 'a checksum to finish lies outside the frame',
  bad_offload: "a segmentation request that the frame's own headers contradict",
  bad_payload: 'not an IPv4 or IPv6 packet on a wire of payload ip',
  link_down: 'the receiving end has no peer, or its interface is down',
  io_error: 'the kernel refused the frame for another reason',
} as const;

export const kernelDropReasons = {
  kernel_queue: "dropped by the kernel at the wire's own interface: queue full, or the other end was down",
  tunnel_error: 'the kernel could not send it into the tunnel (no route to the remote), or it came out malformed',
} as const;

export const dropReasons = { ...engineDropReasons, ...kernelDropReasons };
export type EngineDropReason = keyof typeof engineDropReasons;
export type DropReason = keyof typeof dropReasons;

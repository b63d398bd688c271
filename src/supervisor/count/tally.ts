// SPDX-License-Identifier: Apache-2.0
// Translates the statistics of one source to counters of a wire: rx entered the wire, tx left it.

import type { InterfaceStatistics } from '../../dataplane/types.ts';
import type { EndCounters, WireCounters } from '../../model/status.ts';
import type { EndName } from '../../model/wire.ts';

const noEnd: EndCounters = {
  rxPackets: 0n,
  rxBytes: 0n,
  txPackets: 0n,
  txBytes: 0n,
  rxErrors: 0n,
  txErrors: 0n,
  drops: {},
};

export const noCounters: WireCounters = { client: noEnd, endpoint: noEnd };

/** One side of a veth pair, in the workload's namespace: a frame that it transmits enters the wire here and leaves it at the
 *  other end. veth counts a dropped frame in tx_dropped only (drivers/net/veth.c, veth_xmit). */
export function ofVethSide(end: EndName, statistics: InterfaceStatistics): WireCounters {
  const { txPackets, txBytes, txDropped, txErrors, rxErrors } = statistics;
  const here: EndCounters = {
    ...noEnd,
    rxPackets: txPackets + txDropped,
    rxBytes: txBytes,
    rxErrors: txErrors,
    txErrors: rxErrors,
    drops: { kernel_queue: txDropped },
  };
  const there: EndCounters = { ...noEnd, txPackets, txBytes };
  return end === 'client' ? { client: here, endpoint: there } : { client: there, endpoint: here };
}

/** A tap, or a virtual function opposite a port. The engine counts the frames that pass; frames that the full queue of the
 *  interface refused never reach the engine (drivers/net/tun.c, tun_net_xmit) and are added here. */
export function ofTap(end: EndName, { txDropped, txErrors, rxErrors }: InterfaceStatistics): WireCounters {
  const here: EndCounters = {
    ...noEnd,
    rxPackets: txDropped,
    rxErrors: txErrors,
    txErrors: rxErrors,
    drops: { kernel_queue: txDropped },
  };
  return { ...noCounters, [end]: here };
}

/** A virtual function in the workload's namespace: frames that it transmits enter the wire, frames that it receives leave it.
 *  The NIC between the two ends counts neither its losses nor frames from elsewhere (broadcasts on the same segment) by wire. */
export function ofDevice(end: EndName, statistics: InterfaceStatistics): WireCounters {
  const { rxPackets, rxBytes, rxErrors, txPackets, txBytes, txErrors, txDropped } = statistics;
  const here: EndCounters = {
    rxPackets: txPackets + txDropped,
    rxBytes: txBytes,
    txPackets: rxPackets,
    txBytes: rxBytes,
    rxErrors: txErrors,
    txErrors: rxErrors,
    drops: { kernel_queue: txDropped },
  };
  return { ...noCounters, [end]: here };
}

/** A tunnel device in the workload's namespace: frames that it transmits entered the wire here and went to the other
 *  node; frames that it receives came from there. Frames that the kernel could not send are in tx_dropped or tx_errors, and
 *  malformed received ones in rx_errors, each only once (iptunnel_xmit_stats in net/ipv4/ip_tunnel_core.c, and the tunnel
 *  drivers). rx_dropped is omitted: it also counts frames that the workload received and had no use for
 *  (net/core/dev.c). The device of an encrypted tunnel also counts its own messages (docs/decisions/011). */
export function ofTunnel(end: EndName, statistics: InterfaceStatistics): WireCounters {
  const { rxPackets, rxBytes, rxErrors, txPackets, txBytes, txErrors, txDropped } = statistics;
  const here: EndCounters = {
    ...noEnd,
    rxPackets: txPackets + txErrors + txDropped,
    rxBytes: txBytes,
    txPackets: rxPackets,
    txBytes: rxBytes,
    drops: { kernel_queue: txDropped, tunnel_error: txErrors },
  };
  const there: EndCounters = {
    ...noEnd,
    rxPackets: rxPackets + rxErrors,
    rxBytes,
    txPackets,
    txBytes,
    drops: { tunnel_error: rxErrors },
  };
  return end === 'client' ? { client: here, endpoint: there } : { client: there, endpoint: here };
}

/** A row of EngineCounters: the words of the client end, then those of the endpoint end. */
export function ofEngine(row: BigUint64Array, dropReasons: readonly string[]): WireCounters {
  const half = row.length / 2;
  return {
    client: ofWords(row.subarray(0, half), dropReasons),
    endpoint: ofWords(row.subarray(half), dropReasons),
  };
}

function ofWords(words: BigUint64Array, dropReasons: readonly string[]): EndCounters {
  const [rxPackets = 0n, rxBytes = 0n, txPackets = 0n, txBytes = 0n] = words;
  const drops: Record<string, bigint> = {};
  for (let at = 0; at < dropReasons.length; at++) drops[dropReasons[at] as string] = words[4 + at] ?? 0n;
  return { ...noEnd, rxPackets, rxBytes, txPackets, txBytes, drops };
}

export function sum(a: WireCounters, b: WireCounters): WireCounters {
  if (a === noCounters) return b;
  return { client: sumOfEnds(a.client, b.client), endpoint: sumOfEnds(a.endpoint, b.endpoint) };
}

function sumOfEnds(a: EndCounters, b: EndCounters): EndCounters {
  if (a === noEnd) return b;
  return {
    rxPackets: a.rxPackets + b.rxPackets,
    rxBytes: a.rxBytes + b.rxBytes,
    txPackets: a.txPackets + b.txPackets,
    txBytes: a.txBytes + b.txBytes,
    rxErrors: a.rxErrors + b.rxErrors,
    txErrors: a.txErrors + b.txErrors,
    drops: sumOfDrops(a.drops, b.drops),
  };
}

function sumOfDrops(a: EndCounters['drops'], b: EndCounters['drops']): EndCounters['drops'] {
  if (b === noEnd.drops) return a;
  if (a === noEnd.drops) return b;
  const drops = { ...a };
  for (const reason in b) drops[reason] = (drops[reason] ?? 0n) + (b[reason] ?? 0n);
  return drops;
}

export function hasFallen(before: WireCounters, now: WireCounters): boolean {
  return endHasFallen(before.client, now.client) || endHasFallen(before.endpoint, now.endpoint);
}

function endHasFallen(before: EndCounters, now: EndCounters): boolean {
  if (
    now.rxPackets < before.rxPackets ||
    now.rxBytes < before.rxBytes ||
    now.txPackets < before.txPackets ||
    now.txBytes < before.txBytes ||
    now.rxErrors < before.rxErrors ||
    now.txErrors < before.txErrors
  )
    return true;
  for (const reason in before.drops) if ((now.drops[reason] ?? 0n) < (before.drops[reason] ?? 0n)) return true;
  return false;
}

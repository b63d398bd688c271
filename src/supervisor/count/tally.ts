// SPDX-License-Identifier: Apache-2.0
// What one source contributes to the counters of a wire, in the wire's words: rx enters the wire, tx leaves it.

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

/** One side of a veth pair, in the workload's namespace: what it transmits enters the wire here and leaves it at the
 *  other end. veth counts a frame it dropped in tx_dropped only (drivers/net/veth.c, veth_xmit). */
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

/** The engine counts what passes a tap, or comes from a virtual function by its port; what their full queue refused it
 *  never saw (drivers/net/tun.c, tun_net_xmit). */
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

/** A virtual function in the workload's namespace. What it transmits enters the wire here, what it receives leaves the wire
 *  here; between the two is the NIC, whose losses and whose frames from elsewhere (broadcasts of others on the same
 *  segment) nobody tells by wire. */
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

/** The device of a tunnel, in the workload's namespace: what it transmits entered the wire here and left for the other
 *  node; what it receives came from there. What the kernel could not send is in tx_dropped or in tx_errors, what came
 *  malformed in rx_errors, none of it twice (iptunnel_xmit_stats of net/ipv4/ip_tunnel_core.c, and the drivers of
 *  tunnels). rx_dropped is left out: it is also raised for frames that the workload got and has no use for
 *  (net/core/dev.c). An encrypted tunnel's device counts its own messages, too (docs/decisions/011). */
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

/** A row of EngineCounters: the words of the client, then those of the endpoint. */
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

// SPDX-License-Identifier: Apache-2.0
// The counters of a wire as our segment of the path shows them, with the keys of NSM's forwarders: `server` is the
// caller's side, `client` the next hop's, rx counts frames that came from that side.

import type { EndCounters } from '../../model/status.ts';
import type { EndStatus, WireStatus } from '../../wire/status.ts';
import type { Wires } from '../parts/wires.ts';

export async function pathMetrics(wires: Wires, name: string): Promise<Record<string, string>> {
  const [status, counters] = [wires.get(name), await wires.countersOf(name)];
  return {
    ...(counters ? { ...words('server', counters.client), ...words('client', counters.endpoint) } : {}),
    ...(status
      ? {
          server_interface: interfaceOf(status, status.client),
          client_interface: interfaceOf(status, status.endpoint),
        }
      : {}),
  };
}

function words(side: 'server' | 'client', counters: EndCounters): Record<string, string> {
  const drops = Object.values(counters.drops).reduce((sum, count) => sum + count, 0n);
  return {
    [`${side}_rx_bytes`]: String(counters.rxBytes),
    [`${side}_tx_bytes`]: String(counters.txBytes),
    [`${side}_rx_packets`]: String(counters.rxPackets),
    [`${side}_tx_packets`]: String(counters.txPackets),
    [`${side}_drops`]: String(drops),
  };
}

function interfaceOf({ path, name }: WireStatus, end: EndStatus): string {
  const device = end.mechanism === 'kernel' ? (path === 'veth' ? 'VETH' : 'TAP') : end.mechanism.toUpperCase();
  return `${device}/${end.interface ?? name}`;
}

// SPDX-License-Identifier: Apache-2.0
// A client on one node, its endpoint on the other.

import { Metrics } from '../../support/daemon.ts';
import { eventually } from '../../support/shell.ts';
import type { Mesh } from './mesh.ts';
import type { ClientOptions, EndpointOptions, Node } from './node.ts';
import type { Workload } from './workload.ts';

export const addresses = ['10.99.0.1', '10.99.0.2'] as const;

/** Ethernet's 1500 less outer IPv4, UDP, VXLAN, inner Ethernet and a VLAN tag. */
export const tunnelMtu = 1446;

/** The same in IPv6: its header is 20 bytes longer. */
export const inIPv6 = { addresses: ['fd00:99::1', 'fd00:99::2'], tunnelMtu: 1426, cidr: 'fd00:16::100/127' } as const;

/** Whether the client's node has the lower or the higher address; the VXLAN identifiers are even where it has the lower. */
export const orders = [
  { order: 'lower', parity: 0 },
  { order: 'higher', parity: 1 },
] as const;
export type Order = (typeof orders)[number]['order'];

export interface Across {
  /** The client's node. */
  readonly near: Node;
  /** The endpoint's node. */
  readonly far: Node;
  readonly client: Workload;
  readonly endpoint: Workload;
  /** Address of the endpoint on the wire. */
  readonly address: string;
}

export function nodesOf(mesh: Mesh, order: Order = 'lower'): { readonly near: Node; readonly far: Node } {
  const [first, second] = mesh.nodes as [Node, Node];
  return order === 'lower' ? { near: first, far: second } : { near: second, far: first };
}

type Joining = Partial<Pick<EndpointOptions, 'payload' | 'cidr'>> & Pick<ClientOptions, 'environment'>;

/** Resolves when connected. */
export async function joined(mesh: Mesh, order: Order, options: Joining = {}): Promise<Across> {
  const { payload = 'ETHERNET', cidr = '172.16.1.100/31', environment = {} } = options;
  const { near, far } = nodesOf(mesh, order);
  await Promise.all([near.startForwarder(), far.startForwarder()]);
  const endpoint = await far.startEndpoint('nse-1', { services: ['svc-1'], payload, cidr });
  const client = await near.startClient('nsc-1', { services: ['kernel://svc-1/nsm-1'], environment });
  return { near, far, client, endpoint, address: await client.otherSide('nsm-1') };
}

/** What must stay the same while no Request asks for a change. */
export async function devices({ client, endpoint }: Across): Promise<readonly string[]> {
  const each = async (workload: Workload) => {
    const links = await workload.links();
    return links.map(async ({ ifindex, ifname, address, mtu }) =>
      [workload.name, ifindex, ifname, address, mtu, await workload.vni(ifname)].join(' '),
    );
  };
  return Promise.all([...(await each(client)), ...(await each(endpoint))]);
}

/** nsc's liveness check pings all the time. So on a lossless wire, a node counts no more frames than a node before it on the
 *  path that is read later, and no fewer than one that is read earlier. */
export async function countersAgree({ near, far }: Across): Promise<void> {
  await eventually('both nodes count the same frames, and miss none', async () => {
    const [before, there, after] = [await counted(near), await counted(far), await counted(near)];
    const inTurn = before.sent <= there.sent && there.sent <= after.sent;
    const back = before.answered <= there.answered && there.answered <= after.answered;
    const seen = JSON.stringify([before, there, after], (_, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    );
    if (!inTurn || !back) throw new Error(`client's, endpoint's, client's node: ${seen}`);
    return [before, there, after].every(({ unaccounted, dropped }) => unaccounted === 0n && dropped === 0n);
  });
}

/** At least that many pings and their answers were counted, and no frame is unaccounted for. */
export async function allCounted(nodes: readonly Node[], pings: number): Promise<void> {
  for (const node of nodes)
    await eventually(`${node.name} has counted all of it`, async () => {
      const { unaccounted, ...frames } = await counted(node);
      return unaccounted === 0n && frames.sent >= pings && frames.answered >= pings;
    });
}

interface Counted {
  /** Sent by the client, and by the endpoint. */
  readonly sent: bigint;
  readonly answered: bigint;
  readonly unaccounted: bigint;
  readonly dropped: bigint;
}

async function counted(node: Node): Promise<Counted> {
  const metrics = new Metrics(await node.forwarder.metrics());
  const [wire] = await node.forwarder.wires();
  if (!wire) throw new Error(`${node.name} has no wire`);
  const received = (end: string) => metrics.sum('crosswire_wire_rx_packets_total', { wire: wire.name, end });
  return {
    sent: received('client'),
    answered: received('endpoint'),
    unaccounted: metrics.unaccounted(wire.name, 'client') + metrics.unaccounted(wire.name, 'endpoint'),
    dropped: metrics.sum('crosswire_wire_drops_total', { wire: wire.name }),
  };
}

// SPDX-License-Identifier: Apache-2.0
// k: clients led to a VLAN behind a device of their own node, by an endpoint that has no interface and is on no node's
// data path. Where the kernel has VLAN devices, as in the lab (docs/lab.md).
//   nsc-1: nsm-1 ─┐
//                 ├─ node: uplink ── veth ── far, far.100, far.200: outside
//   nsc-2: nsm-1 ─┘

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Metrics } from '../support/daemon.ts';
import { Outside, outsideAddress } from '../support/outside.ts';
import { linkOf, ping } from '../support/shared-device.ts';
import { eventually } from '../support/shell.ts';
import type { Node } from './support/node.ts';
import { scenario } from './support/scenario.ts';
import { Pings } from './support/traffic.ts';
import type { Workload } from './support/workload.ts';

const tag = 100;
const strangerAddress = '10.78.0.253';
const selectors = `interfaces:
  - name: uplink
    matches:
      - labelSelector:
          - via: gateway-1
`;

const nsmLink = ({ namespace }: Workload) => linkOf(namespace, 'nsm-1');

async function addressOf(client: Workload): Promise<string> {
  const { addr_info: addresses } = await client.link('nsm-1');
  return addresses.find(({ scope }) => scope === 'global')?.local ?? '';
}

scenario(
  'k: two clients in a VLAN behind their node’s device reach it, and not each other; the forwarder killed under traffic',
  async (t, mesh) => {
    const { node } = mesh;
    const outside = await Outside.behind(node.namespace, await mesh.namespace('far'));
    const peer = await outside.peer(tag);
    const stranger = await outside.peer(tag + 100, `${strangerAddress}/24`);
    // By default any interface of a host answers ARP for all its addresses; here only the interface that has it (ip-sysctl, arp_ignore).
    await outside.namespace.run('sysctl', '-qw', 'net.ipv4.conf.all.arp_ignore=1');
    const file = join(mesh.directory, 'selectors.yaml');
    await writeFile(file, selectors);
    const [first, second] = await joined(node, { NSM_DEVICE_SELECTOR_FILE: file });

    for (const client of [first, second]) {
      t.like(await nsmLink(client), { mtu: 1500, linkinfo: { info_kind: 'vlan', info_data: { id: tag } } });
      const heard = async (name: string) => (await linkOf(outside.namespace, name)).stats64.rx.packets;
      const [before, unheard] = [await heard(peer), await heard(stranger)];
      t.regex(await ping(client.namespace, outsideAddress), / 3 received/);
      t.true((await heard(peer)) >= before + 3, 'the kernel hands a frame to this device for its tag');
      await t.throwsAsync(ping(client.namespace, strangerAddress), undefined, 'another VLAN of the same device');
      t.is(await heard(stranger), unheard);
      // From now on the outside host knows this client's MAC address, and sends no more ARP requests.
      const known = [
        await addressOf(client),
        'lladdr',
        (await nsmLink(client)).address,
        'dev',
        peer,
        'nud',
        'permanent',
      ];
      await outside.namespace.run('ip', 'neigh', 'replace', ...known);
    }

    const { address, stats64: quiet } = await nsmLink(second);
    const other = await addressOf(second);
    await t.throwsAsync(ping(first.namespace, other), undefined, 'asks by broadcast');
    await first.namespace.run('ip', 'neigh', 'replace', other, 'lladdr', address, 'dev', 'nsm-1');
    await t.throwsAsync(ping(first.namespace, other), undefined, 'and now by its MAC address');
    t.is((await nsmLink(second)).stats64.rx.packets, quiet.rx.packets);
    await counted(node, [first, second]);

    const indexes = async () => Promise.all([first, second].map(async (one) => (await nsmLink(one)).ifindex));
    const before = await indexes();
    const pings = new Pings(first.namespace, outsideAddress, 200);
    await pings.answered(5);
    await node.forwarder.stop('SIGKILL');
    await node.startForwarder(undefined, { NSM_DEVICE_SELECTOR_FILE: file });
    // Until then their manager asks a forwarder that is gone, also for a Close.
    for (const client of [first, second]) await client.process.says('Heal success', 60_000);
    t.deepEqual(
      (await node.forwarder.wires()).map(({ phase, path }) => [phase, path]),
      Array.from({ length: 2 }, () => ['up', 'vlan']),
    );
    await pings.answered(5);
    const { sent, received, gap } = await pings.stop();
    t.log(`${received} of ${sent} pings came back, the longest pause ${gap} ms`);
    t.true(sent - received <= 1, 'the last one may be under way: an answer takes its time here');
    t.deepEqual(await indexes(), before);

    await first.stop('SIGTERM');
    t.deepEqual(await first.namespace.interfaces(), []);
    t.is((await node.forwarder.wires()).length, 1);
    await ping(second.namespace, outsideAddress);
    await second.stop('SIGTERM');
    t.deepEqual(await second.namespace.interfaces(), []);
    t.deepEqual(await node.forwarder.wires(), []);
    t.deepEqual(await node.namespace.interfaces(), ['uplink']);
  },
  { needs: ['vlan'] },
);

async function joined(node: Node, environment: Record<string, string>): Promise<readonly [Workload, Workload]> {
  const { mesh, namespace, address } = node;
  await node.startForwarder(undefined, environment);
  const endpoint = await mesh.peer('cmd-nse-remote-vlan', 'vlan-server', namespace, {
    NSM_NAME: 'vlan-server',
    NSM_CONNECT_TO: mesh.registry.url,
    NSM_LISTEN_ON: `tcp://${address}:5003`,
    NSM_SERVICES: `svc-other { vlan: 0; via: gateway-2 }, svc-1 { vlan: ${tag}; via: gateway-1 }`,
    NSM_CIDR_PREFIX: '10.78.0.0/24',
  });
  await endpoint.says('startup completed');
  const services = ['kernel://svc-1/nsm-1'];
  return [await node.startClient('nsc-1', { services }), await node.startClient('nsc-2', { services })];
}

/** Both wires count the same frames as the interfaces, and no frame is unaccounted for. */
async function counted(node: Node, clients: readonly Workload[]): Promise<void> {
  const total = async (way: 'rx' | 'tx') => {
    const links = await Promise.all(clients.map(nsmLink));
    return links.reduce((sum, { stats64 }) => sum + stats64[way].packets, 0);
  };
  await eventually('the wires count what the interfaces count', async () => {
    const [sent, received] = [await total('tx'), await total('rx')];
    const metrics = new Metrics(await node.forwarder.metrics());
    const entered = (end: string) => Number(metrics.sum('crosswire_wire_rx_packets_total', { end }));
    const wires = (await node.forwarder.wires()).map(({ name }) => name);
    const lost = wires.flatMap((name) => [metrics.unaccounted(name, 'client'), metrics.unaccounted(name, 'endpoint')]);
    const after = [await total('tx'), await total('rx')];
    const between = (count: number, from: number, to = 0) => from <= count && count <= to;
    if (!between(entered('client'), sent, after[0]) || !between(entered('endpoint'), received, after[1]))
      throw new Error(
        `${sent}, ${received}; then the wires ${entered('client')}, ${entered('endpoint')}; then ${after.join(', ')}`,
      );
    return wires.length === 2 && lost.every((one) => one === 0n);
  });
}

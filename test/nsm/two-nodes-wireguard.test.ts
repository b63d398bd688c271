// SPDX-License-Identifier: Apache-2.0
// e: client and endpoint on two nodes, payload IP over WIREGUARD: where the kernel has it, as in the lab (docs/lab.md).
//   nsc ── wireguard ── forwarder 1's node ═══ forwarder 2's node ── wireguard ── nse

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Namespace } from '../support/namespace.ts';
import { kernelLog, processWords, spellings } from '../support/wireguard.ts';
import { type Across, addresses, allCounted, countersAgree, joined, nodesOf } from './support/across.ts';
import { joinByMemif } from './support/memif-client.ts';
import type { Mesh } from './support/mesh.ts';
import type { Node } from './support/node.ts';
import { count } from './support/programs.ts';
import { scenario } from './support/scenario.ts';
import { Pings } from './support/traffic.ts';

/** Ethernet's 1500 less outer IPv4, UDP, and WireGuard's header and tag, rounded to its 16 bytes of padding. */
const tunnelMtu = 1440;

interface Device {
  readonly ifindex: number;
  readonly mtu: number;
  readonly linkinfo?: { readonly info_kind: string };
}

async function device(where: Namespace): Promise<Device> {
  const [name = ''] = await where.interfaces();
  return (JSON.parse(await where.run('ip', '-j', '-d', 'link', 'show', name)) as Device[])[0] as Device;
}

const bothDevices = async ({ client, endpoint }: Across) =>
  Promise.all([device(client.namespace), device(endpoint.namespace)]);

scenario(
  'e: IP over WIREGUARD between kernel interfaces; a forwarder killed under traffic',
  async (t, mesh) => {
    const across = await joined(mesh, 'lower', { payload: 'IP' });
    const { near, far, client, endpoint, address } = across;
    const before = await bothDevices(across);
    for (const one of before) t.like(one, { mtu: tunnelMtu, linkinfo: { info_kind: 'wireguard' } });
    const whole = ['-M', 'do', '-s', String(tunnelMtu - 28)]; // less IPv4 and ICMP
    await client.namespace.run('ping', '-q', '-c', '3', '-i', '0.01', '-W', '5', ...whole, address);
    await countersAgree(across);

    const pings = new Pings(client.namespace, address, 200);
    await pings.answered(5);
    await near.forwarder.stop('SIGKILL');
    await near.startForwarder();
    await client.process.says('Heal success', 60_000); // until then the manager asks a forwarder that is gone
    await pings.answered(5);
    const { sent, received, gap } = await pings.stop();
    t.log(`${received} of ${sent} pings came back, the longest pause ${gap} ms`);
    t.true(sent - received <= 1, 'the last one may be under way: an answer takes its time here');
    t.deepEqual(await bothDevices(across), before);
    t.is(count(client.process, 'Data plane is down'), 0, client.process.output.slice(-4000));
    for (const key of await privateKeys(mesh)) {
      for (const [where, text] of Object.entries(await whatIsSaid(across)))
        for (const spelling of spellings(key)) t.false(text.includes(spelling.slice(2, 22)), where);
    }

    await client.stop('SIGTERM');
    t.deepEqual(await client.namespace.interfaces(), []);
    t.deepEqual(await endpoint.namespace.interfaces(), []);
    for (const node of [near, far]) {
      t.deepEqual(await node.forwarder.wires(), []);
      t.deepEqual(await node.namespace.interfaces(), ['uplink']);
      t.is((await node.namespace.run('ss', '-lnuH')).trim(), '', 'no port is held');
    }
  },
  { addresses, needs: ['wireguard'] },
);

scenario(
  'e: IP over WIREGUARD, a memif client, a kernel endpoint at the other node',
  async (t, mesh) => {
    const { near, far } = nodesOf(mesh);
    await Promise.all([near.startForwarder(), far.startForwarder()]);
    const service = { services: ['svc-1'], payload: 'IP', cidr: '172.16.1.100/31' } as const;
    const endpoint = await far.startEndpoint('nse-1', service);
    const { connection, requester, where, pod, address } = await joinByMemif(mesh, near, 'ip');
    t.is(connection.context?.MTU, tunnelMtu);
    t.like(await device(endpoint.namespace), { mtu: tunnelMtu, linkinfo: { info_kind: 'wireguard' } });
    t.regex(await pod.run('ping', '-q', '-c', '50', '-i', '0.1', '-W', '30', address), / 50 received/);
    t.is((await near.forwarder.wires())[0]?.path, 'engine');
    await allCounted([near, far], 50);

    await requester.close(connection, where);
    t.deepEqual(await endpoint.namespace.interfaces(), []);
    for (const { forwarder, namespace } of [near, far]) {
      t.deepEqual(await forwarder.wires(), []);
      t.deepEqual(await namespace.interfaces(), ['uplink']);
    }
  },
  { addresses, needs: ['wireguard', 'tun'] },
);

/** One record from the journal of each node. */
async function privateKeys(mesh: Mesh): Promise<readonly string[]> {
  const keys = mesh.nodes.map(async ({ name }) => {
    const wires = join(mesh.directory, `${name}.state`, 'wires');
    const [file = ''] = await readdir(wires);
    const [, key] = /"privateKey":\s*"([^"]+)"/.exec(await readFile(join(wires, file), 'utf8')) ?? [];
    if (key === undefined) throw new Error(`${wires}/${file} has no private key`);
    return key;
  });
  return Promise.all(keys);
}

async function whatIsSaid({ near, far, client, endpoint }: Across): Promise<Record<string, string>> {
  const ofNode = async ({ forwarder, manager }: Node) => [
    forwarder.process.output,
    manager.output,
    await forwarder.metrics(),
    (await forwarder.cli('get', 'wires', '-o', 'yaml')).stdout,
  ];
  return {
    'near node': (await ofNode(near)).join('\n'),
    'far node': (await ofNode(far)).join('\n'),
    workloads: client.process.output + endpoint.process.output,
    processes: await processWords(),
    'kernel log': await kernelLog(),
  };
}

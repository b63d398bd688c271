// SPDX-License-Identifier: Apache-2.0
// b, c: clients and endpoints on one node.
//   nsc (namespace) ── wire ── nse (namespace)

import type { ExecutionContext } from 'ava';
import { Metrics } from '../support/daemon.ts';
import { transfer, withIperfServer } from '../support/iperf.ts';
import { eventually } from '../support/shell.ts';
import type { Forwarder } from './support/forwarder.ts';
import { count } from './support/programs.ts';
import { scenario } from './support/scenario.ts';
import { Pings } from './support/traffic.ts';
import type { Workload } from './support/workload.ts';

/** The length is the point once; the other payload differs in nothing that time could show. */
const longest = Number(process.env['CROSSWIRE_NSM_PING_SECONDS'] ?? 120);

for (const { payload, pingSeconds } of [
  { payload: 'IP', pingSeconds: longest },
  { payload: 'ETHERNET', pingSeconds: Math.min(longest, 10) },
] as const)
  scenario(
    `b: payload ${payload}: ${pingSeconds} s of pings with the liveness check on, iperf3, counters`,
    async (t, mesh) => {
      const forwarder = await mesh.node.startForwarder();
      const endpoint = await mesh.node.startEndpoint('nse-1', {
        services: ['svc-1'],
        payload,
        cidr: '172.16.1.100/31',
      });
      const client = await mesh.node.startClient('nsc-1', { services: ['kernel://svc-1/nsm-1?app=shop'] });
      const address = await client.otherSide('nsm-1');

      const pings = new Pings(client.namespace, address);
      mesh.onRemove(() => pings.abandon());
      await pings.answeredFor(pingSeconds);
      const report = await pings.stop();
      t.log(`${report.sent} pings sent, ${report.received} answered, longest pause ${report.gap} ms`);
      t.is(report.received, report.sent);

      await withIperfServer(endpoint.namespace, async () => {
        const bytes = await transfer(client.namespace, address);
        t.log(`TCP ${((bytes * 8) / 1e9).toFixed(1)} Gbit/s`);
      });
      await countersAgree(t, forwarder, client);
      t.is((await forwarder.wires())[0]?.phase, 'up');
      noHeal(t, client);
    },
    { needs: ['iperf3'], seconds: pingSeconds + 120 },
  );

scenario('b: payload IP, both families on one wire', async (t, mesh) => {
  await mesh.node.startForwarder();
  const cidr = '172.16.1.100/31,fd00:16::100/127';
  await mesh.node.startEndpoint('nse-1', { services: ['svc-1'], payload: 'IP', cidr });
  const client = await mesh.node.startClient('nsc-1', { services: ['kernel://svc-1/nsm-1'] });
  for (const address of ['172.16.1.100', 'fd00:16::100'])
    await client.namespace.run('ping', '-q', '-c', '100', '-i', '0.01', '-W', '1', '-I', 'nsm-1', address);
  noHeal(t, client);
});

scenario('c: three clients on one endpoint', async (t, mesh) => {
  const forwarder = await mesh.node.startForwarder();
  await mesh.node.startEndpoint('nse-1', { services: ['svc-1'], payload: 'IP', cidr: '172.16.1.0/24' });
  const names = ['nsc-1', 'nsc-2', 'nsc-3'];
  const clients = await Promise.all(
    names.map((name) => mesh.node.startClient(name, { services: ['kernel://svc-1/nsm-1'] })),
  );
  const addresses = await Promise.all(clients.map(async (one) => (await one.link('nsm-1')).addr_info[0]?.local));
  t.is(new Set(addresses).size, clients.length);
  await Promise.all(clients.map((one) => answers(one, 'nsm-1')));
  t.is((await forwarder.wires()).length, clients.length);
  for (const one of clients) noHeal(t, one);
});

scenario('c: one client with two services', async (t, mesh) => {
  const forwarder = await mesh.node.startForwarder();
  await mesh.node.startEndpoint('nse-1', { services: ['svc-1'], payload: 'IP', cidr: '172.16.1.0/24' });
  await mesh.node.startEndpoint('nse-2', { services: ['svc-2'], payload: 'ETHERNET', cidr: '172.16.2.0/24' });
  const services = ['kernel://svc-1/nsm-1', 'kernel://svc-2/nsm-2'];
  const client = await mesh.node.startClient('nsc-1', { services });
  await Promise.all([answers(client, 'nsm-1'), answers(client, 'nsm-2')]);
  t.is((await forwarder.wires()).length, 2);
  noHeal(t, client);
});

scenario('c: two connections into one namespace', async (t, mesh) => {
  const forwarder = await mesh.node.startForwarder();
  await mesh.node.startEndpoint('nse-1', { services: ['svc-1'], payload: 'ETHERNET', cidr: '172.16.1.0/24' });
  const first = await mesh.node.startClient('nsc-1', { services: ['kernel://svc-1/nsm-1'] });
  const where = first.namespace;
  const second = await mesh.node.startClient('nsc-2', { services: ['kernel://svc-1/nsm-2'], where });
  await Promise.all([answers(first, 'nsm-1'), answers(second, 'nsm-2')]);
  t.deepEqual((await where.interfaces()).toSorted(), ['nsm-1', 'nsm-2']);

  await second.stop('SIGTERM');
  t.deepEqual(await where.interfaces(), ['nsm-1']);
  await answers(first, 'nsm-1');
  t.is((await forwarder.wires()).length, 1);
});

async function answers(client: Workload, name: string): Promise<void> {
  const address = await client.otherSide(name);
  await client.namespace.run('ping', '-q', '-c', '10', '-i', '0.01', '-W', '1', '-I', name, address);
}

function noHeal(t: ExecutionContext, client: Workload): void {
  for (const word of ['plane is down', 'Heal success', 'unavailable']) t.is(count(client.process, word), 0, word);
}

/** nsc's liveness check pings all the time, so the wire's counters lie between two readings of the workload's interface. */
async function countersAgree(t: ExecutionContext, forwarder: Forwarder, client: Workload): Promise<void> {
  const before = await sent(client);
  const wire = new Metrics(await forwarder.metrics()).sum('crosswire_wire_rx_packets_total', { end: 'client' });
  const after = await sent(client);
  t.true(before <= wire && wire <= after, `${before} ≤ ${wire} ≤ ${after}`);
  const name = (await forwarder.wires())[0]?.name as string;
  await eventually('between two of its pings every frame is accounted for', async () => {
    const metrics = new Metrics(await forwarder.metrics());
    return metrics.unaccounted(name, 'client') === 0n && metrics.unaccounted(name, 'endpoint') === 0n;
  });
}

async function sent(client: Workload): Promise<bigint> {
  const [link] = JSON.parse(await client.namespace.run('ip', '-j', '-s', 'link', 'show', 'nsm-1')) as [
    { stats64: { tx: { packets: number } } },
  ];
  return BigInt(link.stats64.tx.packets);
}

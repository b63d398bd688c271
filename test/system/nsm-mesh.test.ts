// SPDX-License-Identifier: Apache-2.0
// A whole mesh: client, manager, forwarder and endpoint as separate processes. The manager is a STAND-IN for NSM's
// (src/mesh/manager), and client and endpoint are this project's, so these tests show that our programs work
// together. test/nsm shows the same with NSM's own programs.

import type { ExecutionContext } from 'ava';
import { Pings } from '../nsm/support/traffic.ts';
import type { Metrics } from '../support/daemon.ts';
import { LocalMesh } from '../support/local-mesh.ts';
import type { Namespace } from '../support/namespace.ts';
import { type Requirement, testWith } from '../support/requires.ts';
import { eventually } from '../support/shell.ts';
import { memifDevice, Testpmd } from '../support/testpmd.ts';

interface Place {
  readonly mesh: LocalMesh;
  readonly client: Namespace;
  readonly endpoint: Namespace;
}

function scenario(
  title: string,
  body: (t: ExecutionContext, place: Place) => Promise<void>,
  needs: readonly Requirement[] = ['ping'],
): void {
  testWith(['root', ...needs], title, async (t) => {
    t.timeout(120_000);
    const mesh = await LocalMesh.start();
    t.teardown(() => mesh.remove());
    await body(t, { mesh, client: await mesh.namespace('nsc'), endpoint: await mesh.namespace('nse') });
  });
}

for (const payload of ['ip', 'ethernet'])
  scenario(`payload ${payload}: pings, counters, and nothing left after Close`, async (t, place) => {
    const { mesh, client, endpoint } = place;
    // The prefix has two addresses, enough for one connection: a second client connects only when the first has closed.
    await mesh.endpoint('kernel://web/web0', endpoint, '--cidr', '172.16.1.100/31', '--payload', payload);
    for (const round of [1, 2]) {
      const { answer, process } = await mesh.client('kernel://web/nsm-1?app=shop', client);
      t.like(answer, {
        payload: payload.toUpperCase(),
        interface: 'nsm-1',
        clientAddresses: ['172.16.1.101/32'],
        endpointAddresses: ['172.16.1.100/32'],
        path: ['client', 'manager', 'forwarder', 'endpoint'],
      });
      await client.run('ping', '-q', '-c', '100', '-i', '0.002', '-W', '1', '172.16.1.100');
      const [wire, ...others] = await mesh.wires();
      t.like(wire, { phase: 'up', path: 'veth' });
      t.is(others.length, 0);
      const metrics = await mesh.accounted(wire?.name ?? '');
      const counted = metrics.sum('crosswire_wire_rx_packets_total', { wire: wire?.name ?? '', end: 'client' });
      t.true(counted >= 100n && counted <= (await sent(client, 'nsm-1')), `round ${round}: ${counted} frames`);

      await process.stop('SIGTERM');
      t.is(process.child.exitCode, 0, process.output);
      t.deepEqual(await mesh.wires(), []);
      t.deepEqual([await client.interfaces(), await endpoint.interfaces()], [[], []]);
    }
  });

scenario('two clients on one endpoint, each with a pair of its own', async (t, { mesh, client, endpoint }) => {
  await mesh.endpoint('kernel://web/web0', endpoint, '--cidr', '172.16.1.0/24');
  const first = await mesh.client('kernel://web/nsm-1', client);
  const second = await mesh.client('kernel://web/nsm-2', client, '--name', 'second');
  t.deepEqual(first.answer.endpointAddresses, ['172.16.1.1/32']);
  t.deepEqual(second.answer.endpointAddresses, ['172.16.1.3/32']);
  t.deepEqual((await endpoint.interfaces()).toSorted(), ['web0', 'web0-2']);
  for (const address of ['172.16.1.1', '172.16.1.3']) await client.run('ping', '-q', '-c', '5', '-i', '0.01', address);
});

scenario('refreshes change nothing, and no packet is lost', async (t, { mesh, client, endpoint }) => {
  await mesh.endpoint('kernel://web/web0', endpoint, '--cidr', '172.16.1.0/24');
  await mesh.client('kernel://web/nsm-1', client, '--token-lifetime', '6s');
  const before = await indexes(client, endpoint);
  const pings = new Pings(client, '172.16.1.1');
  await eventually('five refreshes', async () => (await requests(mesh)) >= 6n);
  await pings.answered();
  const { sent: all, received } = await pings.stop();
  t.is(received, all);
  t.deepEqual(await indexes(client, endpoint), before);
});

scenario('a client that dies: the wire goes when its token does', async (t, { mesh, client, endpoint }) => {
  await mesh.endpoint('kernel://web/web0', endpoint, '--cidr', '172.16.1.0/24');
  const { process } = await mesh.client('kernel://web/nsm-1', client, '--token-lifetime', '6s');
  t.is((await mesh.wires()).length, 1);
  await process.stop('SIGKILL');
  await eventually('no wire', async () => (await mesh.wires()).length === 0);
  t.deepEqual([await client.interfaces(), await endpoint.interfaces()], [[], []]);
});

scenario('kill -9 of the forwarder: traffic goes on, and the client connects again', async (t, place) => {
  const { mesh, client, endpoint } = place;
  await mesh.endpoint('kernel://web/web0', endpoint, '--cidr', '172.16.1.0/24');
  const { process } = await mesh.client('kernel://web/nsm-1', client);
  const before = await indexes(client, endpoint);
  const pings = new Pings(client, '172.16.1.1');
  await pings.answered(10);
  await mesh.forwarder.stop('SIGKILL');
  await pings.answered(10);
  await mesh.startForwarder();
  await eventually('the client has asked again', async () => (await requests(mesh)) >= 1n);
  await pings.answered(10);
  const { sent: all, received, gap } = await pings.stop();
  t.log(`${all} pings, longest pause ${gap} ms`);
  t.is(received, all);
  t.deepEqual(await indexes(client, endpoint), before);
  await process.stop('SIGTERM');
  t.deepEqual([await client.interfaces(), await endpoint.interfaces()], [[], []]);
});

scenario('only the data plane goes down: a client that looks at it asks anew', async (t, place) => {
  const { mesh, client, endpoint } = place;
  await mesh.endpoint('kernel://web/web0', endpoint, '--cidr', '172.16.1.0/24');
  const { process } = await mesh.client('kernel://web/nsm-1', client, '--liveness', 'true', '--log-level', 'info');
  await endpoint.run('ip', 'link', 'set', 'web0', 'down');
  await process.says('connected again');
  t.regex(process.output, /"from":"172.16.1.2","to":"172.16.1.1".*nobody answers pings/);
  await client.run('ping', '-q', '-c', '5', '-i', '0.01', '172.16.1.1');
  await process.stop('SIGTERM');
  t.deepEqual([await client.interfaces(), await endpoint.interfaces()], [[], []]);
});

scenario('an endpoint that went and another that came: the client is led to it', async (t, place) => {
  const { mesh, client, endpoint } = place;
  const first = await mesh.endpoint('kernel://web/web0', endpoint, '--cidr', '172.16.1.0/24');
  await mesh.client('kernel://web/nsm-1', client);
  await first.stop('SIGKILL');
  await mesh.endpoint('kernel://web/other', endpoint, '--cidr', '172.16.2.0/24', '--name', 'another');
  await eventually('the other endpoint answers', async () =>
    client.run('ping', '-q', '-c', '1', '-W', '1', '172.16.2.1'),
  );
  t.deepEqual([await client.interfaces(), await endpoint.interfaces()], [['nsm-1'], ['other']]);
});

scenario(
  'a DPDK application asks by memif, a kernel interface answers: every frame is delivered or dropped by name',
  async (t, { mesh, client, endpoint }) => {
    await mesh.endpoint('kernel://web/web0', endpoint, '--cidr', '172.16.1.0/24', '--payload', 'ethernet');
    const { answer } = await mesh.client('memif://web/m0', client);
    const device = memifDevice(0, 'client', answer.socket ?? '', 0);
    const application = await Testpmd.start({ devices: [device], forward: 'txonly', namespace: client });
    t.teardown(() => application.stop());
    await everyFrameCounted(t, mesh, application, 'client');
  },
  ['tun', 'dpdk-testpmd'],
);

scenario(
  'a kernel interface asks, a DPDK application answers by memif: every frame is delivered or dropped by name',
  async (t, { mesh, client, endpoint }) => {
    await mesh.endpoint('memif://fw/fw0', endpoint, '--cidr', '172.16.1.0/24', '--payload', 'ethernet');
    const device = memifDevice(0, 'server', '@fw0', 0);
    const application = await Testpmd.start({ devices: [device], forward: 'txonly', namespace: endpoint });
    t.teardown(() => application.stop());
    const { answer } = await mesh.client('kernel://fw/nsm-1', client);
    t.is(answer.interface, 'nsm-1');
    await everyFrameCounted(t, mesh, application, 'endpoint');
  },
  ['tun', 'dpdk-testpmd'],
);

async function everyFrameCounted(
  t: ExecutionContext,
  mesh: LocalMesh,
  application: Testpmd,
  end: 'client' | 'endpoint',
): Promise<void> {
  const wire = (await mesh.wires())[0]?.name ?? '';
  const entered = (metrics: Metrics) => metrics.sum('crosswire_wire_rx_packets_total', { wire, end });
  await eventually('the link is up', async () => (await application.command('show port summary 0')).includes(' up'));
  await application.command('start');
  await eventually('frames enter the wire', async () => entered(await mesh.metrics()) > 10_000n);
  await application.command('stop');
  const { txPackets } = await application.statistics(0);
  await eventually('all of them entered', async () => entered(await mesh.metrics()) === BigInt(txPackets));
  const metrics = await mesh.accounted(wire);
  t.is(entered(metrics), BigInt(txPackets));
  const other = end === 'client' ? 'endpoint' : 'client';
  t.true(metrics.sum('crosswire_wire_tx_packets_total', { wire, end: other }) > 0n);
}

async function requests(mesh: LocalMesh): Promise<bigint> {
  return (await mesh.metrics()).sum('crosswire_nsm_calls_total', { call: 'request', outcome: 'ok' });
}

interface Link {
  readonly ifname: string;
  readonly ifindex: number;
  readonly stats64: { readonly tx: { readonly packets: number } };
}

async function links(where: Namespace): Promise<Link[]> {
  const all = JSON.parse(await where.run('ip', '-j', '-s', 'link', 'show')) as Link[];
  return all.filter(({ ifname }) => ifname !== 'lo');
}

async function indexes(...places: Namespace[]): Promise<string[]> {
  const all = await Promise.all(places.map(links));
  return all.flat().map(({ ifname, ifindex }) => `${ifname} ${ifindex}`);
}

async function sent(where: Namespace, name: string): Promise<bigint> {
  return BigInt((await links(where)).find(({ ifname }) => ifname === name)?.stats64.tx.packets ?? 0);
}

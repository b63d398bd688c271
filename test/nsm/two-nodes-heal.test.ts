// SPDX-License-Identifier: Apache-2.0
// e, f: forwarders die under traffic between two nodes, and the tunnel carries on, since its devices belong to the kernel. Or
// the other node is gone, and the tunnel does not carry on.

import { eventually } from '../support/shell.ts';
import { type Across, addresses, devices, joined } from './support/across.ts';
import { count } from './support/programs.ts';
import { scenario } from './support/scenario.ts';
import { Pings } from './support/traffic.ts';

for (const order of ['lower', 'higher'] as const)
  scenario(
    `e, f: forwarders are killed in turn and together, the client at the ${order} address: nothing is lost`,
    async (t, mesh) => {
      const across = await joined(mesh, order);
      const { near, far, client, endpoint, address } = across;
      const before = await devices(across);
      const pings = new Pings(client.namespace, address);
      await pings.answered(50);
      for (const nodes of [[far], [near], [far, near]]) {
        for (const { forwarder } of nodes) await forwarder.stop('SIGKILL');
        const healed = heals(across);
        for (const { forwarder } of nodes) await forwarder.launch();
        await healsAgain(across, healed);
      }
      await pings.answered(100);
      const { sent, received, gap } = await pings.stop();
      t.log(`${received} of ${sent} pings answered, longest pause ${gap} ms`);
      t.is(received, sent);
      t.is(count(client.process, 'Data plane is down'), 0);
      t.deepEqual(await devices(across), before);

      await client.stop('SIGTERM');
      t.deepEqual([await client.namespace.interfaces(), await endpoint.namespace.interfaces()], [[], []]);
      for (const node of [near, far]) t.deepEqual(await node.forwarder.wires(), []);
    },
    { addresses, needs: ['vxlan'], seconds: 200 },
  );

scenario(
  "e, f: the endpoint's node has no forwarder for longer: the wire carries on and heals when there is one",
  async (t, mesh) => {
    const across = await joined(mesh, 'lower');
    const { near, far, client, address } = across;
    const before = await devices(across);
    const pings = new Pings(client.namespace, address);
    await pings.answered(50);
    await far.forwarder.stop('SIGKILL');
    const refused = () => near.forwarder.answersBut('ok');
    await eventually('the heal was refused five times', async () => (await refused()) >= 5n, 60_000);
    t.is((await near.forwarder.wires())[0]?.phase, 'up');
    const descriptors = await near.forwarder.descriptors();
    const soFar = await refused();
    await eventually('and five times more', async () => (await refused()) >= soFar + 5n, 60_000);
    t.true((await near.forwarder.descriptors()) <= descriptors + 2, 'what is refused holds nothing');

    const healed = heals(across);
    await far.forwarder.launch();
    await healsAgain(across, healed);
    await pings.answered(100);
    const { sent, received, gap } = await pings.stop();
    t.log(`${received} of ${sent} pings answered, longest pause ${gap} ms, ${await refused()} Requests refused`);
    t.is(received, sent);
    t.deepEqual(await devices(across), before);
  },
  { addresses, needs: ['vxlan'], seconds: 200 },
);

scenario(
  "f: the endpoint's node is cut off: the client is led to an endpoint of its own node",
  async (t, mesh) => {
    const { near, far, client, address } = await joined(mesh, 'lower');
    const same = { services: ['svc-1'], payload: 'ETHERNET', cidr: '172.16.1.100/31' } as const;
    await near.startEndpoint('nse-2', same);
    const pings = new Pings(client.namespace, address);
    mesh.onRemove(() => pings.abandon());
    await pings.answered(100);
    await far.namespace.run('ip', 'link', 'set', 'uplink', 'down');
    await eventually('a wire on one node', async () => (await near.forwarder.wires())[0]?.path === 'veth', 60_000);
    await pings.answered(100);
    const { gap } = await pings.stop();
    t.log(`without answers for ${gap} ms at most`);
    t.is((await near.forwarder.wires()).length, 1);
  },
  { addresses, needs: ['vxlan'] },
);

function heals({ client }: Across): number {
  return count(client.process, 'Heal success');
}

async function healsAgain(across: Across, before: number): Promise<void> {
  await eventually('nsc says that it healed', async () => heals(across) > before, 90_000);
  for (const { forwarder } of [across.near, across.far])
    await eventually('the wire is up', async () => (await forwarder.wires())[0]?.phase === 'up');
}

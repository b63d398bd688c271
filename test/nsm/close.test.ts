// SPDX-License-Identifier: Apache-2.0
// g: a client that ends leaves nothing behind, anywhere.

import { eventually } from '../support/shell.ts';
import type { Forwarder } from './support/forwarder.ts';
import { scenario } from './support/scenario.ts';
import { Pings } from './support/traffic.ts';

for (const payload of ['IP', 'ETHERNET'] as const)
  scenario(`g: payload ${payload}: SIGTERM of nsc leaves nothing, and its address is free again`, async (t, mesh) => {
    const forwarder = await mesh.node.startForwarder();
    const descriptors: number[] = [];
    // The prefix has two addresses, for one connection: a second client connects only after the first released them.
    const endpoint = await mesh.node.startEndpoint('nse-1', {
      services: ['svc-1'],
      payload,
      cidr: '172.16.1.100/31',
    });
    for (const name of ['nsc-1', 'nsc-2', 'nsc-3']) {
      const client = await mesh.node.startClient(name, { services: ['kernel://svc-1/nsm-1'] });
      t.is((await forwarder.wires()).length, 1);
      await client.stop('SIGTERM');
      t.deepEqual(await client.namespace.interfaces(), []);
      t.deepEqual(await endpoint.namespace.interfaces(), []);
      t.deepEqual(await forwarder.wires(), []);
      descriptors.push(
        await eventually('no more descriptors than after the first', () => settled(forwarder, descriptors)),
      );
    }
    t.deepEqual(await mesh.node.namespace.interfaces(), []);
    t.log(`descriptors after each client: ${descriptors.join(', ')}`);
  });

/** Connections close asynchronously. */
async function settled(forwarder: Forwarder, [first = Number.POSITIVE_INFINITY]: readonly number[]): Promise<number> {
  const now = await forwarder.descriptors();
  if (now > first) throw new Error(`${now} > ${first}`);
  return now;
}

scenario('g: a client that dies with its namespace leaves nothing, long before its token expires', async (t, mesh) => {
  const forwarder = await mesh.node.startForwarder();
  const service = { services: ['svc-1'], payload: 'ETHERNET', cidr: '172.16.1.100/31' } as const;
  const endpoint = await mesh.node.startEndpoint('nse-1', service);
  const client = await mesh.node.startClient('nsc-1', { services: ['kernel://svc-1/nsm-1'] });
  // Only a namespace that was seen can be missed; a scan comes soon after a new connection.
  const pings = new Pings(client.namespace, await client.otherSide('nsm-1'));
  await pings.answered(100);
  await pings.stop();
  await client.stop('SIGKILL');
  const begun = performance.now();
  await mesh.removeNamespace(client.namespace);
  await eventually('nothing is left of its wire', async () => (await forwarder.wires()).length === 0, 30_000);
  t.log(`removed after ${Math.round(performance.now() - begun)} ms`);
  t.deepEqual(await endpoint.namespace.interfaces(), []);
  await t.notThrowsAsync(mesh.node.startClient('nsc-2', { services: ['kernel://svc-1/nsm-1'] }), 'its address is free');
});

// SPDX-License-Identifier: Apache-2.0
// a: the forwarder registers for a minute, refreshes in time, and comes back when its manager does.

import { eventually } from '../support/shell.ts';
import { scenario } from './support/scenario.ts';

scenario('a: registered with p2p=true for a minute, and refreshed before it is over', async (t, mesh) => {
  const { name } = await mesh.node.startForwarder();
  const first = await mesh.registry.has(name);
  t.deepEqual(first.networkServiceNames, ['forwarder']);
  t.is(first.networkServiceLabels['forwarder']?.labels['p2p'], 'true');
  t.deepEqual(
    first.pathIds,
    [name, 'nsmgr-node1', 'registry'].map((id) => `spiffe://test.nsm/${id}`),
  );
  const expires = first.expirationTime as Date;
  t.true(expires.getTime() - Date.now() <= 60_000);

  const refreshed = await eventually(
    'the registration is refreshed',
    async () => {
      const [now] = await mesh.registry.find({ name });
      if (!now) throw new Error('it has expired');
      return (now.expirationTime as Date) > expires && now;
    },
    60_000,
  );
  const left = expires.getTime() - Date.now();
  t.true(left > 0, 'refreshed while the first registration still held');
  t.deepEqual(refreshed.initialRegistrationTime, first.initialRegistrationTime);
  t.log(`refreshed ${(left / 1000).toFixed(1)} s before the end`);
});

scenario('a: registered again when a killed manager returns', async (t, mesh) => {
  const { name } = await mesh.node.startForwarder();
  await mesh.node.manager.stop('SIGKILL');
  const before = (await mesh.registry.has(name)).expirationTime as Date;
  await mesh.node.startManager();
  const ready = Date.now();
  await eventually('registered through the new manager', async () => {
    const [now] = await mesh.registry.find({ name });
    return now && (now.expirationTime as Date) > before;
  });
  t.log(`${Date.now() - ready} ms after the manager was ready`);
  t.pass();
});

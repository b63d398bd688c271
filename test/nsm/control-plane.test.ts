// SPDX-License-Identifier: Apache-2.0
// NSM's own registry, manager and endpoint with the identities of these tests, without a forwarder: every other test here
// relies on them.

import test from 'ava';
import { testWith } from '../support/requires.ts';
import { eventually } from '../support/shell.ts';
import { Mesh } from './support/mesh.ts';

let mesh: Mesh;

test.afterEach.always(async () => mesh?.remove());

testWith(['root', 'nsm-peers'], 'an endpoint registers at the registry through its manager, and expires', async (t) => {
  mesh = await Mesh.start();
  const endpoint = await mesh.node.startEndpoint('nse-1', {
    services: ['svc-1'],
    payload: 'IP',
    cidr: '172.16.0.0/24',
    // A registration expires with the token, less the time that the call had left of its 15 s (sdk, registry expire).
    environment: { NSM_MAX_TOKEN_LIFETIME: '20s' },
  });
  const [found, ...others] = await mesh.registry.find({ service: 'svc-1' });
  t.is(others.length, 0);
  t.is(found?.name, 'nse-1');
  // Other nodes reach the endpoint at the address of its manager.
  t.is(found?.url, `tcp://${mesh.node.address}:5001`);
  t.deepEqual(
    found?.pathIds,
    ['nse-1', 'nsmgr-node1', 'registry'].map((name) => `spiffe://test.nsm/${name}`),
  );

  await endpoint.stop('SIGKILL');
  await eventually(
    'the endpoint has expired',
    async () => (await mesh.registry.find({ name: 'nse-1' })).length === 0,
    30_000,
  );
});

testWith(['root', 'nsm-peers'], 'the endpoints of two nodes see one registry over the link between them', async (t) => {
  mesh = await Mesh.start({ addresses: ['10.99.0.1', '10.99.0.2'] });
  for (const [index, node] of mesh.nodes.entries())
    await node.startEndpoint(`nse-${index}`, { services: ['svc-1'], payload: 'ETHERNET', cidr: '172.16.0.0/24' });
  const found = await mesh.registry.find({ service: 'svc-1' });
  t.deepEqual(found.map(({ url }) => url).toSorted(), ['tcp://10.99.0.1:5001', 'tcp://10.99.0.2:5001']);
});

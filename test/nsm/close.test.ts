// SPDX-License-Identifier: Apache-2.0
// g: a client that ends properly leaves nothing behind, anywhere.

import { scenario } from './support/scenario.ts';

for (const payload of ['IP', 'ETHERNET'] as const)
  scenario(`g: payload ${payload}: SIGTERM of nsc leaves nothing, and its address is free again`, async (t, mesh) => {
    const forwarder = await mesh.node.startForwarder();
    const descriptors = await forwarder.descriptors();
    // Two addresses, one connection: a second client connects only when the first gave them back.
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
    }
    t.deepEqual(await mesh.node.namespace.interfaces(), []);
    t.log(`descriptors before ${descriptors}, after ${await forwarder.descriptors()}`);
  });

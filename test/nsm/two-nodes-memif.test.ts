// SPDX-License-Identifier: Apache-2.0
// e: a client that speaks memif, its kernel endpoint at the other node, payload ETHERNET.
//   pod: cw0 ── application, in the client's namespace ══ memif ══ forwarder 1 ── vxlan ═══ vxlan ── nse

import { transfer, withIperfServer } from '../support/iperf.ts';
import { eventually } from '../support/shell.ts';
import { addresses, allCounted, nodesOf, orders, tunnelMtu } from './support/across.ts';
import { joinByMemif } from './support/memif-client.ts';
import { scenario } from './support/scenario.ts';
import { Pings } from './support/traffic.ts';

for (const { order, parity } of orders)
  scenario(
    `e: a memif client at the ${order} address, a kernel endpoint at the other node`,
    async (t, mesh) => {
      const { near, far } = nodesOf(mesh, order);
      await Promise.all([near.startForwarder(), far.startForwarder()]);
      const service = { services: ['svc-1'], payload: 'ETHERNET', cidr: '172.16.1.100/31' } as const;
      const endpoint = await far.startEndpoint('nse-1', service);
      const { connection, requester, where, pod, application, address } = await joinByMemif(mesh, near, 'ethernet');
      t.is(connection.context?.MTU, tunnelMtu);
      t.regex(connection.mechanism?.parameters['socketfile'] ?? '', /^@.+/);
      const pings = new Pings(pod, address);
      await pings.answered(500);
      const { sent, received } = await pings.stop();
      t.is(received, sent);
      // Frames that the endpoint's kernel sent before the application started are drops at the client's node.
      await allCounted([near, far], received);
      await withIperfServer(endpoint.namespace, async () => {
        for (const way of [[], ['--reverse']])
          t.log(`TCP ${way.join()} ${(((await transfer(pod, address, ...way)) * 8) / 1e9).toFixed(2)} Gbit/s`);
      });
      t.is((await near.forwarder.wires())[0]?.path, 'engine');
      t.is((await far.forwarder.wires())[0]?.path, 'tunnel');
      const [interfaceName] = await endpoint.namespace.interfaces();
      t.is((await endpoint.vni(interfaceName ?? '')) % 2, parity);

      const before = await endpoint.links();
      await requester.refresh(connection, where);
      t.deepEqual(await endpoint.links(), before);
      await pod.run('ping', '-q', '-c', '20', '-i', '0.01', '-W', '1', address);

      await requester.close(connection, where);
      await eventually('the application has lost its peer', async () => {
        const { endpoint: end } = (await application.describe('application')) as { endpoint: { up: boolean } };
        return !end.up;
      });
      t.deepEqual(await endpoint.namespace.interfaces(), []);
      for (const { forwarder } of [near, far]) t.deepEqual(await forwarder.wires(), []);
    },
    { addresses, needs: ['tun', 'iperf3', 'vxlan'] },
  );

// SPDX-License-Identifier: Apache-2.0
// e: client and endpoint on two nodes, payload ETHERNET over VXLAN.
//   nsc ── vxlan ── forwarder 1's node ═══ forwarder 2's node ── vxlan ── nse

import { transfer, withIperfServer } from '../support/iperf.ts';
import { count } from './support/programs.ts';
import { scenario } from './support/scenario.ts';
import { Pings } from './support/traffic.ts';

const addresses = ['10.99.0.1', '10.99.0.2'] as const;
/** Ethernet's 1500 less outer IPv4, UDP, VXLAN, inner Ethernet and a VLAN tag. */
const tunnelMtu = 1446;

// Whose address is lower decides who numbers the tunnels evenly.
for (const [order, client, endpoint] of [
  ['lower address', 0, 1],
  ['higher address', 1, 0],
] as const)
  scenario(
    `e: ETHERNET over VXLAN, the client at the ${order}`,
    async (t, mesh) => {
      const forwarders = await Promise.all(mesh.nodes.map((node) => node.startForwarder()));
      const nse = await (mesh.nodes[endpoint] as (typeof mesh.nodes)[0]).startEndpoint('nse-1', {
        services: ['svc-1'],
        payload: 'ETHERNET',
        cidr: '172.16.1.100/31',
      });
      const nsc = await (mesh.nodes[client] as (typeof mesh.nodes)[0]).startClient('nsc-1', {
        services: ['kernel://svc-1/nsm-1'],
      });
      t.is((await nsc.link('nsm-1')).mtu, tunnelMtu);
      const address = await nsc.otherSide('nsm-1');
      await nsc.namespace.run(
        'ping',
        '-q',
        '-c',
        '3',
        '-i',
        '0.01',
        '-W',
        '1',
        '-M',
        'do',
        '-s',
        String(tunnelMtu - 28),
        address,
      );

      const pings = new Pings(nsc.namespace, address);
      await pings.answered(1000);
      const report = await pings.stop();
      t.is(report.received, report.sent);
      await withIperfServer(nse.namespace, async () => {
        t.log(`TCP ${(((await transfer(nsc.namespace, address)) * 8) / 1e9).toFixed(2)} Gbit/s`);
      });
      t.is(count(nsc.process, 'plane is down'), 0);

      await nsc.stop('SIGTERM');
      t.deepEqual(await nsc.namespace.interfaces(), []);
      t.deepEqual(await nse.namespace.interfaces(), []);
      for (const forwarder of forwarders) t.deepEqual(await forwarder.wires(), []);
      for (const node of mesh.nodes) t.deepEqual(await node.namespace.interfaces(), ['uplink']);
    },
    { addresses, needs: ['iperf3', 'vxlan'] },
  );

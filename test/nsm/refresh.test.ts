// SPDX-License-Identifier: Apache-2.0
// d: refreshes every few seconds change nothing.

import { eventually } from '../support/shell.ts';
import { ConnectionEventType } from '../../src/nsm/generated/connection.ts';
import { Monitor } from './support/monitor.ts';
import { count } from './support/programs.ts';
import { scenario } from './support/scenario.ts';
import { Pings } from './support/traffic.ts';

for (const { payload, refreshes } of [
  { payload: 'IP', refreshes: 5 },
  { payload: 'ETHERNET', refreshes: 2 },
] as const)
  scenario(`d: payload ${payload}: ${refreshes} refreshes: same interfaces, no packet lost`, async (t, mesh) => {
    const forwarder = await mesh.node.startForwarder();
    const endpoint = await mesh.node.startEndpoint('nse-1', {
      services: ['svc-1'],
      payload,
      cidr: '172.16.1.100/31',
    });
    const client = await mesh.node.startClient('nsc-1', {
      services: ['kernel://svc-1/nsm-1'],
      // The first refresh is due after a fifth of the token's life (sdk, refresh client).
      environment: { NSM_MAX_TOKEN_LIFETIME: '30s' },
    });
    const links = async () => (await Promise.all([client.links(), endpoint.links()])).flat().map(identity);
    const before = await links();
    const pings = new Pings(client.namespace, await client.otherSide('nsm-1'));
    mesh.onRemove(() => pings.abandon());
    const monitor = await Monitor.open(mesh, forwarder.listenUrl);
    const updates = () => monitor.events.filter(({ type }) => type === ConnectionEventType.UPDATE).length;
    await monitor.until(() => updates() >= 1);
    const descriptors = await forwarder.descriptors();

    await monitor.until(() => updates() >= refreshes);
    await pings.answered(100);
    const report = await pings.stop();
    t.log(`${updates()} refreshes, ${report.sent} pings, longest pause ${report.gap} ms`);
    t.is(report.received, report.sent);
    t.deepEqual(await links(), before);
    t.is(count(client.process, 'plane is down'), 0);
    await eventually('no more descriptors than after the first', async () => {
      const now = await forwarder.descriptors();
      if (now > descriptors) throw new Error(`${now} > ${descriptors}`);
      return true;
    });
  });

function identity(link: { ifindex: number; ifname: string; address: string; mtu: number }): string {
  return `${link.ifindex} ${link.ifname} ${link.address} ${link.mtu}`;
}

// SPDX-License-Identifier: Apache-2.0
// e: client and endpoint on two nodes, payload ETHERNET over VXLAN.
//   nsc ── vxlan ── forwarder 1's node ═══ forwarder 2's node ── vxlan ── nse

import { type ConnectionEvent, ConnectionEventType } from '../../src/nsm/generated/connection.ts';
import { transfer, withIperfServer } from '../support/iperf.ts';
import { addresses, countersAgree, devices, inIPv6, joined, nodesOf, orders, tunnelMtu } from './support/across.ts';
import { Monitor } from './support/monitor.ts';
import { count } from './support/programs.ts';
import { Requester } from './support/requester.ts';
import { scenario } from './support/scenario.ts';
import { Pings } from './support/traffic.ts';

const refreshes = 4;

const inIPv4 = { addresses, tunnelMtu, cidr: '172.16.1.100/31' };
const headers = { IPv4: 20 + 8, IPv6: 40 + 8 }; // with ICMP's

for (const { order, parity, family, ...underlay } of [
  ...orders.map((one) => ({ ...one, ...inIPv4, family: 'IPv4' as const })),
  { ...orders[0], ...inIPv6, family: 'IPv6' as const },
])
  scenario(
    `e: ETHERNET over VXLAN between ${family} nodes, the client at the ${order} address`,
    async (t, mesh) => {
      const across = await joined(mesh, order, { cidr: underlay.cidr });
      const { near, far, client, endpoint, address } = across;
      t.is((await client.link('nsm-1')).mtu, underlay.tunnelMtu);
      const [its] = await endpoint.links();
      t.is(its?.mtu, underlay.tunnelMtu);
      t.is((await client.vni('nsm-1')) % 2, parity);
      t.is(await endpoint.vni(its?.ifname ?? ''), await client.vni('nsm-1'));
      const whole = ['-M', 'do', '-s', String(underlay.tunnelMtu - headers[family])];
      await client.namespace.run('ping', '-q', '-c', '3', '-i', '0.01', '-W', '1', ...whole, address);

      const pings = new Pings(client.namespace, address);
      await pings.answered(300);
      const report = await pings.stop();
      t.is(report.received, report.sent);
      await withIperfServer(endpoint.namespace, async () => {
        t.log(`TCP ${(((await transfer(client.namespace, address)) * 8) / 1e9).toFixed(2)} Gbit/s`);
      });
      await countersAgree(across);
      t.is(count(client.process, 'plane is down'), 0);

      await client.stop('SIGTERM');
      t.deepEqual(await client.namespace.interfaces(), []);
      t.deepEqual(await endpoint.namespace.interfaces(), []);
      for (const node of [near, far]) {
        t.deepEqual(await node.forwarder.wires(), []);
        t.deepEqual(await node.namespace.interfaces(), ['uplink']);
        t.is((await node.namespace.run('ss', '-lnuH', 'sport', '=', '4789')).trim(), '');
      }
    },
    { addresses: underlay.addresses, needs: ['iperf3', 'vxlan'] },
  );

scenario(
  'e: refreshes change nothing on either node',
  async (t, mesh) => {
    // The first refresh is due after a fifth of the token's life (sdk, refresh client).
    const across = await joined(mesh, 'lower', { environment: { NSM_MAX_TOKEN_LIFETIME: '30s' } });
    const { near, far, client, address } = across;
    const before = await devices(across);
    const pings = new Pings(client.namespace, address);
    const sees = async (url: string) => {
      const monitor = await Monitor.open(mesh, url);
      await monitor.until((events) => events.filter(isUpdate).length >= refreshes);
    };
    await Promise.all([near, far].map(({ forwarder }) => sees(forwarder.listenUrl)));
    await pings.answered(100);
    const { sent, received } = await pings.stop();
    t.is(received, sent);
    t.deepEqual(await devices(across), before);
    t.is(count(client.process, 'plane is down'), 0, client.process.output.slice(-4000));
  },
  { addresses, needs: ['vxlan'] },
);

scenario(
  'e: without WIREGUARD payload IP to another node is refused at once, with the reason; on the same node it goes on',
  async (t, mesh) => {
    const { near, far } = nodesOf(mesh);
    await Promise.all([near.startForwarder(), far.startForwarder()]);
    await far.startEndpoint('nse-1', { services: ['svc-1'], payload: 'IP', cidr: '172.16.1.100/31' });
    const requester = await Requester.start(mesh, 'asker', near.managerUrl);
    const where = await mesh.namespace('asker');
    const error = await t.throwsAsync(requester.request({ service: 'svc-1', where, interface: 'nsm-1' }));
    t.regex(error?.message ?? '', /MECHANISM_UNSUPPORTED.*payload IP needs WIREGUARD/);
    await near.startEndpoint('nse-2', { services: ['svc-2'], payload: 'IP', cidr: '172.16.2.100/31' });
    await requester.request({ service: 'svc-2', where, interface: 'nsm-2' });
    t.deepEqual(await where.interfaces(), ['nsm-2']);
  },
  { addresses, needs: ['no-wireguard'] },
);

scenario(
  'e: a tunnel address that the node has not: a warning, no tunnels, and local wires as ever',
  async (t, mesh) => {
    const { near, far } = nodesOf(mesh);
    const forwarder = await near.startForwarder(undefined, { NSM_TUNNEL_IP: '192.0.2.99' });
    await far.startForwarder();
    t.regex(forwarder.process.output, /"address":"192\.0\.2\.99".*no tunnels from here/);
    await far.startEndpoint('nse-1', { services: ['svc-1'], payload: 'ETHERNET', cidr: '172.16.1.100/31' });
    const requester = await Requester.start(mesh, 'asker', near.managerUrl);
    const where = await mesh.namespace('asker');
    const error = await t.throwsAsync(requester.request({ service: 'svc-1', where, interface: 'nsm-1' }));
    t.regex(error?.message ?? '', /MECHANISM_UNSUPPORTED.*NSM_TUNNEL_IP/);
    await near.startEndpoint('nse-2', { services: ['svc-2'], payload: 'ETHERNET', cidr: '172.16.2.100/31' });
    await requester.request({ service: 'svc-2', where, interface: 'nsm-2' });
    t.deepEqual(await where.interfaces(), ['nsm-2']);
  },
  { addresses },
);

function isUpdate({ type }: ConnectionEvent): boolean {
  return type === ConnectionEventType.UPDATE;
}

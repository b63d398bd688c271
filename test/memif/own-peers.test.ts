// SPDX-License-Identifier: Apache-2.0
// Our own memif in both roles, for what DPDK's memif cannot do: payload ip, abstract sockets in a namespace, secrets.
//   a ── `left` kernel–memif(server) ══ `middle` memif(client)–memif(server) ══ `right` memif(client)–kernel ── b

import { statSync, symlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { Daemon } from '../support/daemon.ts';
import { transfer, withIperfServer } from '../support/iperf.ts';
import { Namespace } from '../support/namespace.ts';
import { testWith } from '../support/requires.ts';
import { eventually } from '../support/shell.ts';
import { kernelEnd, memifEnd, turned, type WireSpec, wireFile } from '../support/wires.ts';

let daemon: Daemon;
let a: Namespace;
let b: Namespace;
let sockets: Namespace;

test.beforeEach(async () => {
  [a, b, sockets] = [await Namespace.make('a'), await Namespace.make('b'), await Namespace.make('s')];
  daemon = await Daemon.start();
});
test.afterEach.always(async () => {
  await daemon?.destroy();
  for (const namespace of [a, b, sockets]) await namespace?.remove();
});

interface Variant {
  readonly payload: 'ethernet' | 'ip';
  readonly mtu?: number;
  readonly memif?: object;
  readonly abstract?: boolean;
  /** Names the namespace by inode, with a path that does not exist. */
  readonly byInode?: boolean;
}

function wires({ payload, mtu, memif = {}, abstract = false, byInode = false }: Variant): WireSpec[] {
  const socket = abstract ? '@crosswire-test' : join(daemon.directory, 'memif.sock');
  const place = byInode ? { inode: statSync(sockets.path).ino, netns: '/proc/self/fd/999' } : { netns: sockets.path };
  const more = { ...memif, ...(abstract ? place : {}) };
  const common = { payload, ...(mtu ? { mtu } : {}) };
  const kernel = (namespace: Namespace, host: number) =>
    kernelEnd(namespace, 'cw0', { addresses: [`10.83.0.${host}/24`, `fd83::${host}/64`] });
  return [
    { name: 'left', ...common, client: kernel(a, 1), endpoint: memifEnd(socket, 'server', 1, more) },
    {
      name: 'middle',
      ...common,
      client: memifEnd(socket, 'client', 1, more),
      endpoint: memifEnd(socket, 'server', 2, more),
    },
    { name: 'right', ...common, client: memifEnd(socket, 'client', 2, more), endpoint: kernel(b, 2) },
  ];
}

const variants: Record<string, Variant> = {
  'payload ethernet': { payload: 'ethernet' },
  'payload ip': { payload: 'ip' },
  'payload ip, 9000 bytes, small buffers, two rings': {
    payload: 'ip',
    mtu: 9000,
    memif: { bufferSize: 512, rings: 2 },
  },
  'payload ethernet, 9000 bytes, a secret, an abstract socket in a namespace': {
    payload: 'ethernet',
    mtu: 9000,
    memif: { secret: 'between us' },
    abstract: true,
  },
  'payload ip, an abstract socket in a namespace known by its inode': { payload: 'ip', abstract: true, byInode: true },
};

for (const [name, variant] of Object.entries(variants)) {
  for (const order of ['as written', 'turned'] as const) {
    testWith(
      ['root', 'tun', 'ping', 'iperf3'],
      `${name}, ${order}: IPv4, IPv6, TCP and UDP through three wires`,
      async (t) => {
        const specs = wires(variant);
        await daemon.mustApply(wireFile(...(order === 'turned' ? specs.map(turned) : specs)));
        for (const wire of ['left', 'middle', 'right']) await daemon.up(wire);
        const size = String((variant.mtu ?? 1500) - 48);
        for (const address of ['10.83.0.2', 'fd83::2'])
          await a.run('ping', '-q', '-c', '3', '-i', '0.02', '-W', '2', '-M', 'do', '-s', size, address);
        await withIperfServer(b, async () => {
          t.true((await transfer(a, '10.83.0.2')) > 1_000_000, 'TCP');
          t.true((await transfer(a, 'fd83::2', '--reverse')) > 1_000_000, 'TCP, IPv6, reverse');
          t.true((await transfer(a, '10.83.0.2', '--udp', '--bitrate', '50M')) > 1_000_000, 'UDP');
        });
        await eventually('every frame is accounted for', async () => {
          const metrics = await daemon.metrics();
          for (const wire of ['left', 'middle', 'right'])
            for (const end of ['client', 'endpoint'] as const)
              if (metrics.unaccounted(wire, end) !== 0n)
                throw new Error(`${wire} ${end}: ${metrics.unaccounted(wire, end)}`);
          return true;
        });
      },
    );
  }
}

testWith(
  ['root', 'tun', 'ping'],
  'a changed secret on one end parts the wires; the same on the other joins them again',
  async (t) => {
    const specs = wires({ payload: 'ethernet' });
    await daemon.mustApply(wireFile(...specs));
    const answered = () => a.run('ping', '-q', '-c', '1', '-W', '1', '10.83.0.2').then(() => true);
    await eventually('ping', answered);
    const secret = wires({ payload: 'ethernet', memif: { secret: 'new' } });
    await daemon.mustApply(wireFile(secret[0] as WireSpec));
    await eventually(
      'left has no peer',
      async () => !((await daemon.describe('left')) as { endpoint: { up: boolean } }).endpoint.up,
    );
    await t.throwsAsync(answered);
    await daemon.mustApply(wireFile(...secret));
    await eventually('ping with the new secret', answered);
  },
);

testWith(
  ['root', 'tun', 'ping'],
  'a memif client goes on looking in the namespace that was meant, whatever its path leads to by now',
  async (t) => {
    const link = join(daemon.directory, 'netns');
    const place = { inode: statSync(sockets.path).ino, netns: link };
    const kernel = (namespace: Namespace, host: number) =>
      kernelEnd(namespace, 'cw0', { addresses: [`10.83.0.${host}/24`] });
    symlinkSync(sockets.path, link);
    const client = memifEnd('@crosswire-test', 'client', 0, place);
    await daemon.mustApply(wireFile({ name: 'client', client, endpoint: kernel(a, 1) }));
    unlinkSync(link);
    symlinkSync(b.path, link);
    const server = memifEnd('@crosswire-test', 'server', 0, { netns: sockets.path });
    await daemon.mustApply(wireFile({ name: 'server', client: server, endpoint: kernel(b, 2) }));
    await daemon.up('client');
    t.regex(await a.run('ping', '-q', '-c', '1', '-W', '2', '10.83.0.2'), / 0% packet loss/);
  },
);

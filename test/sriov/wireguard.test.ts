// SPDX-License-Identifier: Apache-2.0
//   pod a: cw0 ─ tunnel of daemon A's wire      pod b: cw0 ─ tunnel of daemon B's wire
//           └── node a: uplink ── veth ── uplink :node b ──┘
//   Each cw0 is the WireGuard device itself; its UDP socket is in the namespace of the node. One pair of daemons serves
//   all tests, in order, because a daemon starts slowly in the guest.

import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import type { Namespace } from '../support/namespace.ts';
import { testWith } from '../support/requires.ts';
import { Background, eventually } from '../support/shell.ts';
import { type Family, type Side, TwoNodes, underlay } from '../support/two-nodes.ts';
import { kernelLog, makeKeys, processWords, spellings } from '../support/wireguard.ts';
import { kernelEnd, turned, type WireSpec, wireFile, wireguardEnd } from '../support/wires.ts';
import { Control } from './support/control.ts';

let nodes: TwoNodes | undefined;
let a: Side;
let b: Side;
let controls: { readonly a: Control; readonly b: Control };
const keys = { a: makeKeys(), b: makeKeys() };
const stranger = makeKeys();

test.beforeEach(async () => {
  if (nodes) return;
  nodes = await TwoNodes.make();
  ({ a, b } = nodes);
  controls = { a: new Control(a.daemon), b: new Control(b.daemon) };
});
test.afterEach.always(async () => {
  if (controls) for (const control of Object.values(controls)) await control.remove('ab').catch(() => {});
});
test.after.always(async () => {
  await nodes?.remove();
});

interface Tunnel {
  readonly family?: Family;
  readonly more?: object;
}

/** The wire as seen by A, or with exchanged ends by B. */
function wire(at: 'a' | 'b', { family = 4, more = {} }: Tunnel = {}): WireSpec {
  const remote = underlay[family][at === 'a' ? 1 : 0];
  const [own, other] = at === 'a' ? [keys.a, keys.b] : [keys.b, keys.a];
  const ports = at === 'a' ? { localPort: 51_820, remotePort: 51_900 } : { localPort: 51_900, remotePort: 51_820 };
  const addresses = at === 'a' ? ['10.77.0.1/24', 'fd77::1/64'] : ['10.77.0.2/24', 'fd77::2/64'];
  const spec: WireSpec = {
    name: 'ab',
    payload: 'ip',
    client: kernelEnd((at === 'a' ? a : b).pod, 'cw0', { addresses }, `pod-${at}`),
    endpoint: wireguardEnd({ ...ports, remote, privateKey: own.privateKey, publicKey: other.publicKey, ...more }),
  };
  return at === 'a' ? spec : turned(spec);
}

async function joined(tunnel: Tunnel = {}): Promise<void> {
  await controls.a.mustApply(wire('a', tunnel));
  await controls.b.mustApply(wire('b', tunnel));
}

interface Link {
  readonly ifindex: number;
  readonly mtu: number;
  readonly linkinfo: { readonly info_kind: string };
  readonly stats64: { readonly tx: { packets: number }; readonly rx: { packets: number } };
}

async function link(pod: Namespace): Promise<Link> {
  const [one] = JSON.parse(await pod.run('ip', '-j', '-d', '-s', 'link', 'show', 'cw0')) as Link[];
  return one as Link;
}

const ping = (from: Namespace, to: string, ...more: string[]) =>
  from.run('ping', '-q', '-c', '5', '-i', '0.05', '-W', '5', ...more, to);
const udpPorts = (node: Namespace) => node.run('ss', '-lnuH');

for (const family of [4, 6] as const) {
  const mtu = { 4: 1440, 6: 1420 }[family];
  testWith(
    ['root', 'ping', 'wireguard'],
    `over IPv${family}: pings of every size up to the mtu, counted`,
    async (t) => {
      await joined({ family });
      await ping(a.pod, '10.77.0.2');
      await ping(a.pod, '10.77.0.2', '-M', 'do', '-s', String(mtu - 28));
      await ping(b.pod, 'fd77::1', '-M', 'do', '-s', String(mtu - 48));
      t.deepEqual([await a.pod.interfaces(), await b.pod.interfaces()], [['cw0'], ['cw0']]);
      t.deepEqual([await a.node.interfaces(), await b.node.interfaces()], [['uplink'], ['uplink']]);
      t.like(await link(a.pod), { mtu, linkinfo: { info_kind: 'wireguard' } });
      t.regex(await udpPorts(a.node), /:51820/);
      for (const at of ['a', 'b'] as const) {
        const { pod } = { a, b }[at];
        const { endpoint, client } = await controls[at].status('ab');
        t.deepEqual([client.up, endpoint.up], [true, true]);
        t.regex((at === 'a' ? endpoint : client).detail, /last handshake \d+ s before the last look/);
        const before = await link(pod); // a keepalive may come in between
        const counters = await controls[at].counters('ab');
        const after = await link(pod);
        const [workload, tunnel] = at === 'a' ? (['client', 'endpoint'] as const) : (['endpoint', 'client'] as const);
        for (const [end, way] of [
          [workload, 'tx'],
          [tunnel, 'rx'],
        ] as const) {
          const { rx, dropped } = counters[end];
          t.true(before.stats64[way].packets <= rx && rx <= after.stats64[way].packets, `${end}: ${rx}`);
          t.true(rx >= 15 && dropped === 0, `${rx} frames, ${dropped} dropped`);
          t.log(`node ${at}, rx of ${end}: ${rx} for 15 pings`);
        }
        t.is(counters.client.rx, counters.endpoint.tx + counters.client.dropped);
        t.is(counters.endpoint.rx, counters.client.tx + counters.endpoint.dropped);
      }
    },
  );
}

testWith(['root', 'ping', 'wireguard'], 'with a wrong key nothing passes, and the wire says so', async (t) => {
  await controls.a.mustApply(wire('a', { more: { publicKey: stranger.publicKey } }));
  await controls.b.mustApply(wire('b'));
  await t.throwsAsync(a.pod.run('ping', '-q', '-c', '2', '-i', '0.2', '-W', '2', '10.77.0.2'));
  for (const [control, end] of [
    [controls.a, 'endpoint'],
    [controls.b, 'client'],
  ] as const) {
    const { [end]: tunnel } = await control.status('ab');
    t.false(tunnel.up);
    t.regex(tunnel.detail, /no handshake with the other side yet/);
    const counters = await control.counters('ab');
    t.is(counters[end].rx, 0, 'no frame came through');
  }
  await controls.a.mustApply(wire('a'));
  await ping(a.pod, '10.77.0.2');
  t.true((await controls.a.status('ab')).endpoint.up);
});

testWith(['root', 'ping', 'wireguard'], 'kill -9 and a start: the device stays, and no ping is lost', async (t) => {
  await joined();
  await ping(a.pod, '10.77.0.2');
  const before = await link(a.pod);
  const { counted } = await countedOf('a');
  const pings = new Background(...a.pod.inside('ping', '-i', '0.2', '-W', '5', '10.77.0.2'));
  await a.daemon.stop('SIGKILL');
  await a.daemon.launch();
  await pings.stop('SIGINT');
  const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(pings.output) ?? [];
  t.log(`${received} of ${sent} pings came back while the forwarder was dead and started again`);
  t.true(Number(sent) > 5);
  t.is(received, sent);
  t.like(await controls.a.status('ab'), {
    phase: 'up',
    path: 'tunnel',
    endpoint: { mechanism: 'wireguard', up: true },
  });
  t.is((await controls.a.apply(wire('a'))).outcome, 'unchanged');
  t.is((await link(a.pod)).ifindex, before.ifindex);
  t.true((await countedOf('a')).counted > counted);
});

testWith(['root', 'ping', 'wireguard'], 'changes: mtu in place; remote, port and keys by another device', async (t) => {
  await joined();
  const first = await link(a.pod);
  await controls.a.mustApply({ ...wire('a'), mtu: 1300 });
  t.like(await link(a.pod), { mtu: 1300, ifindex: first.ifindex });
  await controls.a.mustApply(wire('a', { more: { remote: '192.0.2.9' } }));
  t.not((await link(a.pod)).ifindex, first.ifindex);
  await controls.a.mustApply(wire('a', { more: { localPort: 51_821 } }));
  t.regex(await udpPorts(a.node), /:51821/);
  t.notRegex(await udpPorts(a.node), /:51820/);
  await ping(a.pod, '10.77.0.2'); // b learns the new port from the first handshake
});

testWith(['root', 'wireguard'], 'one port, one wire: told before anything is touched, or by the kernel', async (t) => {
  await joined();
  const second = { ...wire('a'), name: 'second', client: kernelEnd(a.pod, 'cw1') };
  t.like(await t.throwsAsync(controls.a.apply(second)), { code: 'TUNNEL_CLAIMED' });
  const script = "require('node:dgram').createSocket('udp4').bind(51999, () => console.log('bound'))";
  const foreign = new Background(...a.node.inside(process.execPath, '-e', script));
  t.teardown(() => foreign.stop());
  await foreign.says('bound');
  const clash = await controls.a.apply({ ...second, endpoint: wire('a', { more: { localPort: 51_999 } }).endpoint });
  t.like(clash, { outcome: 'failed', error: { code: 'TUNNEL_REFUSED' } });
  t.regex(JSON.stringify(clash.error), /UDP port|in use/);
  t.deepEqual(await a.pod.interfaces(), ['cw0']);
});

testWith(['root', 'wireguard'], 'a private key is in the journal, which is 0600, and nowhere else', async (t) => {
  await joined();
  const { daemon } = a;
  const { privateKey } = keys.a;
  const said: Record<string, string> = {};
  for (const path of ['/v1/wires', '/v1/wires/ab', '/v1/wires/ab/explanation', '/v1/health', '/v1/status'])
    said[path] = await controls.a.text(path);
  t.regex(said['/v1/wires/ab'] ?? '', /"privateKey":"\(set\)"/);
  const yaml = await daemon.cli('get', 'wires', '-o', 'yaml');
  t.regex(yaml.stdout, /privateKey: \(set\)/);
  said['get -o yaml'] = yaml.stdout + yaml.stderr;
  const wrong = [
    wireFile(wire('a', { more: { privateKey: privateKey.slice(0, -2) } })),
    wireFile(wire('a', { more: { publicKey: privateKey.slice(1), remote: 'no address' } })),
    `${wireFile(wire('a'))}  : not YAML`,
    wireFile({ ...wire('a'), name: 'second', client: kernelEnd(a.pod, 'cw1') }),
  ];
  const refused = await daemon.apply(wrong.join('---\n'));
  t.not(refused.code, 0);
  said['refusals'] = refused.stdout + refused.stderr;
  await controls.a.apply(wire('a', { more: { remote: '192.0.2.9' } }));
  said['metrics'] = (await daemon.metrics()).text;
  said['the log'] = daemon.process?.output ?? '';
  said['processes'] = await processWords();
  said['the kernel log'] = await kernelLog();
  for (const [where, text] of Object.entries(said))
    for (const spelling of spellings(privateKey)) t.false(text.includes(spelling.slice(2, 22)), `${where}: ${text}`);

  const journal = join(daemon.directory, 'state', 'wires', 'ab.json');
  t.true((await readFile(journal, 'utf8')).includes(privateKey));
  t.is((await stat(journal)).mode & 0o777, 0o600);
});

testWith(['root', 'wireguard'], 'what was deleted behind its back is made again; removal leaves nothing', async (t) => {
  await joined();
  await a.pod.run('ip', 'link', 'delete', 'cw0');
  await a.daemon.stop('SIGKILL');
  await a.daemon.launch();
  await eventually('the device is there again', async () => (await a.pod.interfaces()).includes('cw0'));
  for (const [control, { daemon, pod, node }] of [
    [controls.a, a],
    [controls.b, b],
  ] as const) {
    t.is((await control.remove('ab')).outcome, 'removed');
    t.deepEqual([await pod.interfaces(), await node.interfaces()], [[], ['uplink']]);
    t.notRegex(await udpPorts(node), /:51(820|900)/);
    t.deepEqual(await readdir(join(daemon.directory, 'state', 'wires')), []);
  }
});

async function countedOf(at: 'a' | 'b'): Promise<{ readonly counted: number }> {
  const { client, endpoint } = await controls[at].counters('ab');
  return { counted: client.rx + endpoint.rx };
}

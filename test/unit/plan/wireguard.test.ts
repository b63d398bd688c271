// SPDX-License-Identifier: Apache-2.0
// The planner's rules for an end behind WireGuard.

import test from 'ava';
import { mtuOf } from '../../../src/plan/compile.ts';
import { choosePath } from '../../../src/plan/path.ts';
import { plan } from '../../../src/plan/planner.ts';
import { interfaceOf, nothing, type WireState } from '../../../src/plan/state.ts';
import { describe } from '../../../src/plan/words.ts';
import type { Wire } from '../../../src/wire/wire.ts';
import { compiled, kernel, keys, memif, names, read, wireguard, wireOf, stepOf } from './plan-support.ts';

const c = '/run/netns/c';
const end = kernel('/run/netns/a', 'nsm-1', { addresses: ['10.0.0.1/24'] });
const over = (mechanism = wireguard('192.0.2.2'), more: Partial<Wire> = {}) =>
  wireOf(end, mechanism, { payload: 'ip', ...more });
const wire = over();
const steps = (from: Wire | undefined, to: Wire | undefined) =>
  plan(from ? compiled(from) : nothing, to ? compiled(to) : nothing, names).map(stepOf);

test('the device is the interface of the kernel end: no MAC, no neighbours, IPv6 as the kernel spells it', (t) => {
  const neighbours = [{ address: '10.0.0.9', mac: '02:00:00:00:00:09' }];
  const state = compiled(read(wireOf(wireguard('2001:DB8:0::2'), { ...end, neighbours }, { payload: 'ip' })));
  t.is(state.engine, undefined);
  t.like(interfaceOf(state, 'endpoint'), {
    kind: 'wireguard',
    mac: '',
    neighbours: [],
    mtu: 1420,
    tunnel: { remote: '2001:db8::2', localPort: 51_820, ...keys },
  });
  t.is(mtuOf(wire), 1440);
  t.is(mtuOf({ ...wire, mtu: 8940 }), 8940);
});

test('path, plan and actions in words name ports and remote, and no key', (t) => {
  const { path, why } = choosePath(wire);
  t.is(path, 'tunnel');
  t.true(why.every((line) => /^[A-Z].*\.$/.test(line)));
  t.regex(why.join(' '), /encrypts.* port 51820 to 192\.0\.2\.2, port 51820/);
  const [created] = plan(nothing, compiled(wire), names);
  t.is(
    created && describe(created),
    'create the tunnel cw-fresh-c in /run/netns/a of WireGuard from port 51820 to 192.0.2.2, port 51820',
  );
  const engine = wireOf(memif('/run/m.sock'), wireguard('192.0.2.2'), { payload: 'ip' });
  const all = [wire, engine].flatMap((one) => [
    ...choosePath(one).why,
    ...plan(nothing, compiled(one), names).map(describe),
    ...plan(compiled(one), nothing, names).map(describe),
  ]);
  for (const key of Object.values(keys)) t.false(all.join().includes(key.slice(0, 12)));
});

test('a port is bound once: for anything but addresses and mtu the old device goes before the new one', (t) => {
  t.deepEqual(steps(undefined, wire), ['create wireguard', 'changeInterface']);
  t.deepEqual(steps(wire, undefined), ['remove wireguard']);
  t.deepEqual(steps(wire, over(undefined, { mtu: 1300 })), ['changeInterface']);
  const others = [
    over(wireguard('192.0.2.3')),
    over(wireguard('192.0.2.2', { remotePort: 51_821 })),
    over(wireguard('192.0.2.2', { publicKey: keys.ownPublicKey })),
    over(wireguard('192.0.2.2', { privateKey: keys.publicKey, ownPublicKey: 'another' })),
    wireOf({ ...end, namespace: { netns: c } }, wireguard('192.0.2.2'), { payload: 'ip' }),
    wireOf(wireguard('192.0.2.2'), end, { payload: 'ip' }),
  ];
  for (const to of others) t.deepEqual(steps(wire, to), ['remove wireguard', 'create wireguard', 'changeInterface']);
  t.deepEqual(steps(wire, over(wireguard('192.0.2.2', { localPort: 51_821 }))), [
    'create wireguard',
    'changeInterface',
    'changeInterface',
    'remove wireguard',
  ]);
});

test('a device that was found, without its private key, is the one that is wanted', (t) => {
  const { interfaces } = compiled(wire);
  const found = (more: object): WireState => ({
    interfaces: interfaces.map((one) => ({
      ...one,
      tunnel: { ...wireguardOf(one.tunnel), privateKey: undefined, ...more } as never,
    })),
  });
  t.deepEqual(plan(found({}), compiled(wire), names), []);
  t.not(plan(found({ ownPublicKey: 'another' }), compiled(wire), names).length, 0);
  t.not(plan({ interfaces: interfaces.map(({ tunnel: _tunnel, ...one }) => one) }, compiled(wire), names).length, 0);
});

test('opposite memif, the engine has the tunnel, and gives it up before an interface takes its place', (t) => {
  const engine = (remote = '192.0.2.2', more = {}) =>
    wireOf(memif('/run/m.sock'), wireguard(remote, more), { payload: 'ip' });
  t.regex(choosePath(engine()).why.join(' '), /WireGuard, at a device of the engine's own/);
  t.like(compiled(engine()).engine?.endpoint, {
    kind: 'tunnel',
    payload: 'ip',
    mtu: 1440,
    tunnel: { kind: 'wireguard', localPort: 51_820 },
  });
  t.deepEqual(steps(engine(), wire), ['stopEngineWire', 'create wireguard', 'changeInterface']);
  t.deepEqual(steps(wire, engine()), ['remove wireguard', 'startEngineWire']);
  t.deepEqual(steps(engine(), engine('192.0.2.3')), ['stopEngineWire', 'startEngineWire']);
  t.deepEqual(steps(engine(), engine('192.0.2.2', { localPort: 51_821 })), ['replaceEngineEnd']);
});

function wireguardOf(tunnel: unknown): object {
  return typeof tunnel === 'object' && tunnel !== null ? tunnel : {};
}

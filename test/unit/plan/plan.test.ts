// SPDX-License-Identifier: Apache-2.0
// One test for every rule of the planner.

import test from 'ava';
import { canonicalAddress } from '../../../src/plan/address.ts';
import { inverse } from '../../../src/plan/action.ts';
import { macOf } from '../../../src/plan/mac.ts';
import { choosePath } from '../../../src/plan/path.ts';
import { plan } from '../../../src/plan/planner.ts';
import { interfaceOf, nothing } from '../../../src/plan/state.ts';
import { describe } from '../../../src/plan/words.ts';
import type { Wire } from '../../../src/wire/wire.ts';
import { compiled, kernel, memif, names, wireOf, stepOf } from './plan-support.ts';

const [a, b, c] = ['/run/netns/a', '/run/netns/b', '/run/netns/c'] as const;
const veth = wireOf(kernel(a, 'nsm-1', { addresses: ['10.0.0.1/24'] }), kernel(b, 'nsm-2'));
const mixed = wireOf(kernel(a, 'nsm-1', { addresses: ['10.0.0.1/24'] }), memif('/run/m.sock'));
const both = wireOf(memif('/run/m.sock'), memif('/run/n.sock', { role: 'client' }));

const kinds = (from: Wire | undefined, to: Wire | undefined) =>
  plan(from ? compiled(from) : nothing, to ? compiled(to) : nothing, names).map(stepOf);

test('two kernel ends are one veth pair, anything with memif goes through the engine, in both orders', (t) => {
  t.is(choosePath(veth).path, 'veth');
  for (const wire of [mixed, wireOf(mixed.endpoint.mechanism, mixed.client.mechanism), both])
    t.is(choosePath(wire).path, 'engine');
  for (const wire of [veth, mixed, both]) t.true(choosePath(wire).why.every((line) => /^[A-Z].*\.$/.test(line)));
});

test('two memif ends are joined directly where that is asked for, and only as a whole', (t) => {
  const direct = { ...both, direct: true };
  t.is(choosePath(direct).path, 'proxy');
  t.regex(choosePath(direct).why.join(' '), /counts none/);
  t.deepEqual(kinds(undefined, direct), ['startEngineWire']);
  t.deepEqual(kinds(both, direct), ['stopEngineWire', 'startEngineWire']);
  const elsewhere = { ...wireOf(memif('/run/o.sock'), both.endpoint.mechanism), direct: true };
  t.deepEqual(kinds(direct, elsewhere), ['stopEngineWire', 'startEngineWire']);
  const [start] = plan(nothing, compiled(direct), names).map(describe);
  t.regex(start ?? '', /^start the proxy between memif server/);
});

test('making: a pair and its two sides; a tap, its dress, the engine wire; the engine wire alone', (t) => {
  t.deepEqual(kinds(undefined, veth), ['createVethPair', 'changeInterface', 'changeInterface']);
  t.deepEqual(kinds(undefined, mixed), ['create tap', 'changeInterface', 'startEngineWire']);
  t.deepEqual(kinds(undefined, both), ['startEngineWire']);
});

test('a new interface is born bare under a temporary name, and named, addressed and brought up in one step', (t) => {
  const [created, dressed] = plan(nothing, compiled(veth), names);
  if (created?.kind !== 'createVethPair' || dressed?.kind !== 'changeInterface') return t.fail();
  t.like(created.client, { name: 'cw-fresh-c', up: false, addresses: [] });
  t.is(created.endpoint.name, 'cw-fresh-e');
  t.like(dressed.to, { name: 'nsm-1', up: true, addresses: ['10.0.0.1/24'] });
});

test('removing: the engine wire first, then the device; a pair in one step', (t) => {
  t.deepEqual(kinds(veth, undefined), ['removeVethPair']);
  t.deepEqual(kinds(mixed, undefined), ['stopEngineWire', 'remove tap']);
});

test('metadata needs no action', (t) => {
  const end = { ...veth.client, pod: 'p', namespace: 'n' };
  t.deepEqual(kinds(veth, { ...veth, labels: { a: 'b' }, networkService: 's', client: end }), []);
});

test('addresses, routes and neighbours change in place, and only the difference is named', (t) => {
  const to = wireOf(kernel(a, 'nsm-1', { addresses: ['10.0.0.3/24'] }), kernel(b, 'nsm-2'));
  const actions = plan(compiled(veth), compiled(to), names);
  t.deepEqual(actions.map(describe), [
    'change nsm-1 in /run/netns/a: remove address 10.0.0.1/24, add address 10.0.0.3/24',
  ]);
});

test('a new interface name is a change in place, by way of a temporary name', (t) => {
  const to = wireOf(kernel(a, 'other', { addresses: ['10.0.0.1/24'] }), kernel(b, 'nsm-2'));
  const [down, up, ...rest] = plan(compiled(veth), compiled(to), names);
  if (down?.kind !== 'changeInterface' || up?.kind !== 'changeInterface') return t.fail();
  t.like(down.to, { name: 'cw-old-c', up: false, addresses: [] });
  t.like(up.to, { name: 'other', up: true });
  t.deepEqual(rest, []);
});

test('two ends in one namespace may swap their names', (t) => {
  const from = wireOf(kernel(a, 'x'), kernel(a, 'y'));
  const to = wireOf(kernel(a, 'y'), kernel(a, 'x'));
  t.deepEqual(
    plan(compiled(from), compiled(to), names).map((action) => action.kind === 'changeInterface' && action.to.name),
    ['cw-old-c', 'cw-old-e', 'y', 'x'],
  );
});

test('a veth pair changes its mtu in place; an engine wire is restarted around it', (t) => {
  t.deepEqual(kinds(veth, { ...veth, mtu: 9000 }), ['changeInterface', 'changeInterface']);
  t.deepEqual(kinds(mixed, { ...mixed, mtu: 9000 }), ['stopEngineWire', 'changeInterface', 'startEngineWire']);
});

test('another namespace is another pair: built first, the old one in the way renamed, removed last', (t) => {
  const to = wireOf(veth.client.mechanism, kernel(c, 'nsm-2'));
  t.deepEqual(kinds(veth, to), [
    'createVethPair',
    'changeInterface', // the old client side gives its name away
    'changeInterface',
    'changeInterface',
    'removeVethPair',
  ]);
});

test('another namespace of a tap: the engine takes the new one, the other end keeps running', (t) => {
  const to = wireOf(kernel(b, 'nsm-1'), memif('/run/m.sock'));
  const actions = plan(compiled(mixed), compiled(to), names);
  t.deepEqual(actions.map(stepOf), ['create tap', 'replaceEngineEnd', 'changeInterface', 'remove tap']);
  const replaced = actions[1];
  if (replaced?.kind !== 'replaceEngineEnd' || replaced.to.kind !== 'tap') return t.fail();
  t.is(replaced.to.interface, 'cw-fresh-c');
});

test('another path: both are there until the old one goes', (t) => {
  t.deepEqual(kinds(veth, mixed), [
    'create tap',
    'changeInterface',
    'changeInterface',
    'startEngineWire',
    'removeVethPair',
  ]);
  t.deepEqual(kinds(mixed, veth), [
    'createVethPair',
    'stopEngineWire',
    'changeInterface',
    'changeInterface',
    'changeInterface',
    'remove tap',
  ]);
});

test('a memif end with another identity is replaced', (t) => {
  const identities = [{ id: 1 }, { socket: '/run/o.sock' }, { role: 'client' as const }];
  for (const more of identities)
    t.deepEqual(kinds(mixed, wireOf(mixed.client.mechanism, memif('/run/m.sock', more))), ['replaceEngineEnd']);
  const client = { role: 'client' as const };
  const from = wireOf(mixed.client.mechanism, memif('/run/m.sock', client));
  for (const more of [{ rings: 2 }, { ringSize: 512 }, { bufferSize: 4096 }, { secret: 'x' }, { allowUnsealed: true }])
    t.deepEqual(kinds(from, wireOf(mixed.client.mechanism, memif('/run/m.sock', { ...client, ...more }))), [
      'replaceEngineEnd',
    ]);
});

test('a server whose socket and id stay cannot be open twice: the engine wire is restarted', (t) => {
  const to = wireOf(mixed.client.mechanism, memif('/run/m.sock', { rings: 2 }));
  t.deepEqual(kinds(mixed, to), ['stopEngineWire', 'startEngineWire']);
});

test('a missing engine wire is started on the tap that survived', (t) => {
  const { interfaces } = compiled(mixed);
  t.deepEqual(plan({ interfaces }, compiled(mixed), names).map(stepOf), ['startEngineWire']);
});

test('a tap that was deleted is made again and handed to the running engine wire', (t) => {
  const observed = { ...compiled(mixed), interfaces: [] };
  t.deepEqual(plan(observed, compiled(mixed), names).map(stepOf), [
    'create tap',
    'replaceEngineEnd',
    'changeInterface',
  ]);
});

test('a new tap that has not got its name yet gets it, though the old one of the other end still holds it', (t) => {
  const to = wireOf(memif('/run/m.sock'), kernel(a, 'nsm-1'));
  const unnamed = compiled(to).interfaces.map((one) => ({ ...one, name: 'cw-fresh-e' }));
  const observed = { interfaces: [...compiled(mixed).interfaces, ...unnamed] };
  t.deepEqual(
    plan(observed, compiled(to), names).map((action) => action.kind === 'changeInterface' && action.to.name),
    ['cw-old-c', 'cw-old-e', 'nsm-1', false, false],
  );
});

test('undoing the replacement of a tap names the old tap as it is called then', (t) => {
  const state = compiled(mixed);
  const client = { ...state.engine?.client, interface: 'a name of long ago' };
  const observed = { ...state, engine: { ...state.engine, client } } as typeof state;
  const replaced = plan(observed, compiled(wireOf(kernel(b, 'nsm-1'), memif('/run/m.sock'))), names)[1];
  if (replaced?.kind !== 'replaceEngineEnd') return t.fail();
  t.like(inverse(replaced), { to: { interface: 'nsm-1' } });
});

test('payload ip on a pair: each side knows all addresses of the other; on a tun nothing is needed', (t) => {
  const addresses = ['10.0.0.2/24', 'FD00:0:0::2/64'];
  const pair = compiled(wireOf(kernel(a, 'x'), kernel(b, 'y', { addresses }), { payload: 'ip' }));
  const mac = interfaceOf(pair, 'endpoint')?.mac ?? '';
  t.deepEqual(interfaceOf(pair, 'client')?.neighbours, [
    { address: '10.0.0.2', mac },
    { address: 'fd00::2', mac },
  ]);
  t.deepEqual(interfaceOf(pair, 'endpoint')?.neighbours, []);
  const tun = compiled(wireOf(kernel(a, 'x', { addresses }), memif('@m'), { payload: 'ip' }));
  t.like(interfaceOf(tun, 'client'), { kind: 'tun', mac: '', neighbours: [] });
  const neighbours = [{ address: '10.0.0.9', mac: '02:00:00:00:00:09' }];
  const asked = compiled(wireOf(kernel(a, 'x', { neighbours }), memif('@x'), { payload: 'ip' }));
  t.deepEqual(interfaceOf(asked, 'client')?.neighbours, []);
});

test('a given neighbour wins over the computed one', (t) => {
  const given = { address: '10.0.0.2', mac: '02:00:00:00:00:ff' };
  const client = kernel(a, 'x', { neighbours: [given] });
  const pair = compiled(wireOf(client, kernel(b, 'y', { addresses: ['10.0.0.2/24'] }), { payload: 'ip' }));
  t.deepEqual(interfaceOf(pair, 'client')?.neighbours, [given]);
});

test('a MAC is locally administered, of one station, and follows from node, wire and end', (t) => {
  const macs = ['client', 'endpoint'].flatMap((end) =>
    Array.from({ length: 500 }, (_, i) => macOf('node', `wire-${i}`, end as 'client')),
  );
  t.is(new Set(macs).size, macs.length);
  t.true(macs.every((mac) => /^[0-9a-f][26ae](:[0-9a-f]{2}){5}$/.test(mac)));
  t.is(macOf('node', 'wire-1', 'client'), macs[1] ?? '');
  t.not(macOf('other', 'wire-1', 'client'), macs[1] ?? '');
});

test('addresses are compared in one spelling', (t) => {
  t.is(canonicalAddress('FD00:0:0::01/64'), 'fd00::1/64');
  t.is(canonicalAddress('::/0'), '::/0');
  t.is(canonicalAddress('10.0.0.1/24'), '10.0.0.1/24');
});

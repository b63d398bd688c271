// SPDX-License-Identifier: Apache-2.0
// The planner's rules for an end behind a host device.

import test from 'ava';
import type { Wire } from '../../../src/wire/wire.ts';
import { inverse } from '../../../src/plan/action.ts';
import { compile, mtuOf } from '../../../src/plan/compile.ts';
import { uplinkName } from '../../../src/plan/mac.ts';
import { choosePath } from '../../../src/plan/path.ts';
import { plan } from '../../../src/plan/planner.ts';
import { interfaceOf, nothing } from '../../../src/plan/state.ts';
import { describe } from '../../../src/plan/words.ts';
import { compiled, kernel, names, namespacesOf, vlan, wireOf, stepOf } from './plan-support.ts';

const [a, c] = ['/run/netns/a', '/run/netns/c'];
const end = kernel(a, 'nsm-1', { addresses: ['10.0.0.1/24'] });
const wire = wireOf(end, vlan('eth1', 100));
const steps = (from: Wire | undefined, to: Wire | undefined) =>
  plan(from ? compiled(from) : nothing, to ? compiled(to) : nothing, names).map(stepOf);
const withMtu = (one: Wire, deviceMtu: number) =>
  compile(one, { node: 'node', namespaces: namespacesOf(one), alias: (which) => `m/${which}`, deviceMtu });

test('a VLAN device above a macvlan of its own; without a tag, the macvlan itself', (t) => {
  t.is(choosePath(wire).path, 'vlan');
  const tagged = interfaceOf(compiled(wire), 'client');
  t.like(tagged, { kind: 'vlan', name: 'nsm-1', uplink: { device: 'eth1', id: 100, sound: true } });
  t.is(tagged?.uplink?.mac, tagged?.mac);
  const bare = interfaceOf(compiled(wireOf(end, vlan('eth1', 0))), 'client');
  t.like(bare, { kind: 'macvlan', uplink: { device: 'eth1', id: 0, name: '', mac: '' } });
  t.is(bare?.mac, tagged?.mac);
});

test('the name below fits, and is of one end at one device', (t) => {
  const all = ['m/client', 'm/endpoint', 'n/client'].flatMap((mark) => [
    uplinkName(mark, 'eth1'),
    uplinkName(mark, 'eth2'),
  ]);
  t.is(new Set(all).size, 6);
  t.true(all.every((name) => /^cw-[0-9a-f]{12}$/.test(name)));
});

test("the device's mtu is the default, and the most", (t) => {
  t.is(mtuOf(wire, 9000), 9000);
  t.is(mtuOf({ ...wire, mtu: 1400 }, 9000), 1400);
  t.like(interfaceOf(withMtu(wire, 1700), 'client'), { mtu: 1700 });
  t.throws(() => withMtu({ ...wire, mtu: 1701 }, 1700), {
    code: 'HOST_DEVICE_REFUSED',
    message: /1701 is more than the 1700/,
  });
});

test('making, removing and what changes in place', (t) => {
  t.deepEqual(steps(undefined, wire), ['create vlan', 'changeInterface']);
  t.deepEqual(steps(wire, undefined), ['remove vlan']);
  t.deepEqual(steps(wire, { ...wire, mtu: 1300 }), ['changeInterface']);
  t.deepEqual(steps(wire, wire), []);
  const [created] = plan(nothing, compiled(wire), names);
  t.is(created && describe(created), 'create cw-fresh-c in /run/netns/a, a part of eth1 in VLAN 100');
  t.is(created && stepOf(inverse(created)), 'remove vlan');
});

test('a device has a MAC address once: what is to be another part of it, the old part goes first', (t) => {
  const others = [
    wireOf(end, vlan('eth1', 101)),
    wireOf(end, vlan('eth1', 0)),
    wireOf({ ...end, mac: '02:00:00:00:00:77' }, vlan('eth1', 100)),
    wireOf({ ...end, namespace: { netns: c } }, vlan('eth1', 100)),
    wireOf(vlan('eth1', 100), end),
  ];
  for (const [at, to] of others.entries())
    t.deepEqual(steps(wire, to), ['remove vlan', at === 1 ? 'create macvlan' : 'create vlan', 'changeInterface']);
});

test('one that somebody changed is made anew', (t) => {
  const there = compiled(wire);
  const interfaces = there.interfaces.map((one) => ({ ...one, uplink: one.uplink && { ...one.uplink, sound: false } }));
  const kinds = plan({ interfaces } as typeof there, there, names).map(stepOf);
  t.deepEqual(kinds, ['remove vlan', 'create vlan', 'changeInterface']);
});

// SPDX-License-Identifier: Apache-2.0
// The planner's rules for virtual functions.

import test from 'ava';
import { inverse } from '../../../src/plan/action.ts';
import { choosePath } from '../../../src/plan/path.ts';
import { plan } from '../../../src/plan/planner.ts';
import { interfaceOf, nothing } from '../../../src/plan/state.ts';
import { describe } from '../../../src/plan/words.ts';
import type { Wire } from '../../../src/wire/wire.ts';
import { compiled, kernel, names, vfio, wireOf } from './plan-support.ts';

const [a, b, c] = ['/run/netns/a', '/run/netns/b', '/run/netns/c'];
const device = { pci: '0000:01:10.0', vlan: 7 };
const end = kernel(a, 'nsm-1', { addresses: ['10.0.0.1/24'], device });
const wire = wireOf(end, kernel(b, 'nsm-2'));
const steps = (from: Wire | undefined, to: Wire | undefined) =>
  plan(from ? compiled(from) : nothing, to ? compiled(to) : nothing, names).map(({ kind }) => kind);

test('the NIC is the path, in both orders, and the reasons say who else is on the segment', (t) => {
  for (const each of [wire, wireOf(kernel(b, 'nsm-2'), end), wireOf(end, vfio({ resource: 'a/b' }))]) {
    const { path, why } = choosePath(each);
    t.is(path, 'nic');
    t.true(why.every((line) => /^[A-Z].*\.$/.test(line)));
    t.regex(why.join(' '), /in VLAN 7/);
  }
  t.regex(choosePath(wireOf(vfio({ resource: 'a/b' }), kernel(b, 'x'))).why.join(' '), /shares the untagged segment/);
});

test('both functions get the VLAN that one end names, and MACs of their own', (t) => {
  const state = compiled(wire);
  t.like(interfaceOf(state, 'client'), { kind: 'vf', device: { pci: '0000:01:10.0', vlan: 7 } });
  t.like(interfaceOf(state, 'endpoint'), { kind: 'vf', device: { pci: '0000:01:11.2', vlan: 7 } });
  t.not(interfaceOf(state, 'client')?.device?.mac, interfaceOf(state, 'endpoint')?.device?.mac);
});

test('making and removing: taken and dressed; taken home', (t) => {
  t.deepEqual(steps(undefined, wire), ['takeDevice', 'takeDevice', 'changeInterface', 'changeInterface']);
  t.deepEqual(steps(wire, undefined), ['returnDevice', 'returnDevice']);
  t.deepEqual(steps(wire, wire), []);
  const [taken] = plan(nothing, compiled(wire), names);
  t.regex(
    taken ? describe(taken) : '',
    /^take the virtual function 0000:01:10\.0 \(mac [0-9a-f:]{17}, vlan 7\) as cw-fresh-c in \/run\/netns\/a$/,
  );
  t.is(taken && inverse(taken).kind, 'returnDevice');
});

test('addresses, name and mtu change in place', (t) => {
  t.deepEqual(steps(wire, { ...wire, mtu: 9000 }), ['changeInterface', 'changeInterface']);
  const renamed = wireOf({ ...end, interface: 'nsm-9', addresses: [] }, kernel(b, 'nsm-2'));
  t.false(steps(wire, renamed).some((kind) => kind.endsWith('Device')));
});

test('what its physical function is told, and its namespace, are its identity: home first, then taken again', (t) => {
  const again = ['returnDevice', 'takeDevice', 'changeInterface'];
  const others = [
    { ...end, mac: '02:00:00:00:00:77' },
    { ...end, device: { ...device, trust: true } },
    { ...end, namespace: { netns: c } },
  ];
  for (const other of others) t.deepEqual(steps(wire, wireOf(other, kernel(b, 'nsm-2'))), again);
});

test('another device is taken while the first one works', (t) => {
  const to = wireOf({ ...end, device: { ...device, pci: '0000:01:10.4' } }, kernel(b, 'nsm-2'));
  t.deepEqual(steps(wire, to), ['takeDevice', 'changeInterface', 'changeInterface', 'returnDevice']);
});

test('vfio: the device has no interface; from and to kernel mode it goes home between', (t) => {
  const bound = wireOf(vfio(device, { cgroup: '/kube/pod' }), kernel(b, 'nsm-2'));
  t.deepEqual(
    compiled(bound).devices?.map(({ end: at, cgroup }) => [at, cgroup]),
    [['client', '/kube/pod']],
  );
  t.deepEqual(steps(undefined, bound), ['bindDevice', 'takeDevice', 'changeInterface']);
  t.deepEqual(steps(wire, bound), ['returnDevice', 'bindDevice']);
  t.deepEqual(steps(bound, wire), ['unbindDevice', 'takeDevice', 'changeInterface']);
  t.deepEqual(steps(bound, wireOf(vfio(device), kernel(b, 'nsm-2'))), ['unbindDevice', 'bindDevice']);
});

test('from a veth pair to devices: both stand until the pair goes', (t) => {
  const veth = wireOf(kernel(a, 'nsm-1'), kernel(b, 'nsm-2'));
  const kinds = steps(veth, wire);
  t.is(kinds[0], 'takeDevice');
  t.is(kinds.at(-1), 'removeVethPair');
});

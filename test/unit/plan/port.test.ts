// SPDX-License-Identifier: Apache-2.0
// The planner's rules for memif opposite a virtual function or a VLAN: the engine reaches those by a port.

import test from 'ava';
import type { Mechanism, Wire } from '../../../src/wire/wire.ts';
import { choosePath } from '../../../src/plan/path.ts';
import { plan } from '../../../src/plan/planner.ts';
import { interfaceOf, nothing } from '../../../src/plan/state.ts';
import { describe } from '../../../src/plan/words.ts';
import { compiled, kernel, memif, namespaceAt, names, vfio, vlan, wireOf, stepOf } from './plan-support.ts';

const engine = namespaceAt('/proc/self/fd/30');
const mac = '02:00:00:00:00:42';
const application = memif('/run/m.sock', { mac });
const device = { pci: '0000:01:10.0', vlan: 7 };
const pod = kernel('/run/netns/a', 'nsm-1', { addresses: ['10.0.0.1/24'], device });
const actions = (from: Wire | undefined, to: Wire | undefined) =>
  plan(from ? compiled(from) : nothing, to ? compiled(to) : nothing, names);
const steps = (from: Wire | undefined, to: Wire | undefined) => actions(from, to).map(stepOf);

test('the engine is the path, in both orders, and the reasons name the port', (t) => {
  for (const far of [pod, vfio(device), vlan('eth1', 7)] satisfies Mechanism[]) {
    for (const wire of [wireOf(far, application), wireOf(application, far)]) {
      const { path, why } = choosePath(wire);
      t.is(path, 'engine');
      t.true(why.every((line) => /^[A-Z].*\.$/.test(line)));
      t.regex(why.join(' '), /second one of the same NIC.*in VLAN 7|a part of that device/);
    }
  }
});

test('opposite a function: a second one in its VLAN, with the MAC of the application, in the engine’s namespace', (t) => {
  const state = compiled(wireOf(pod, application));
  const port = interfaceOf(state, 'endpoint');
  t.like(port, {
    kind: 'vf',
    mac,
    namespace: engine,
    device: { pci: '0000:01:11.2', mac, vlan: 7 },
    counted: 'nothing',
  });
  t.like(interfaceOf(state, 'client'), { kind: 'vf', name: 'nsm-1', counted: 'drops' });
  t.like(state.engine?.client, { kind: 'device', namespace: engine, interface: port?.name ?? '' });
  t.is(state.engine?.endpoint.kind, 'memif');
});

test('opposite vfio: the application’s device is bound, and the port an interface', (t) => {
  const state = compiled(wireOf(application, vfio(device)));
  t.is(state.devices?.[0]?.device.pci, '0000:01:10.0');
  t.like(interfaceOf(state, 'client'), { kind: 'vf', device: { mac } });
  t.is(state.engine?.endpoint.kind, 'device');
});

test('opposite a VLAN: the part of the device that a workload would have got, and its length', (t) => {
  const tagged = interfaceOf(compiled(wireOf(application, vlan('eth1', 7))), 'client');
  t.like(tagged, { kind: 'vlan', namespace: engine, mac, uplink: { device: 'eth1', id: 7, mac } });
  t.like(interfaceOf(compiled(wireOf(vlan('eth1', 0), application)), 'endpoint'), { kind: 'macvlan', mac });
});

test('made before the engine wire starts, taken away after it stopped', (t) => {
  const wire = wireOf(pod, application);
  t.deepEqual(steps(undefined, wire), [
    'takeDevice',
    'takeDevice',
    'changeInterface',
    'changeInterface',
    'startEngineWire',
  ]);
  t.deepEqual(steps(wire, undefined), ['stopEngineWire', 'returnDevice', 'returnDevice']);
  t.deepEqual(steps(wire, wire), []);
  t.regex(describe(actions(undefined, wire)[1] as never), / as cw-fresh-e in the engine's namespace$/);
  t.regex(describe(actions(undefined, wire).at(-1) as never), /between port cw-[0-9a-f]{12} and memif server/);
});

test('another MAC is another port; two sockets never hear one device', (t) => {
  const [from, to] = [{ ...application }, { ...application, mac: '02:00:00:00:00:43' }];
  t.deepEqual(steps(wireOf(vlan('eth1', 7), from), wireOf(vlan('eth1', 7), to)), [
    'stopEngineWire',
    'remove vlan',
    'create vlan',
    'changeInterface',
    'startEngineWire',
  ]);
  const longer = steps(wireOf(pod, application), wireOf(pod, application, { mtu: 9000 }));
  t.deepEqual(longer, ['stopEngineWire', 'changeInterface', 'changeInterface', 'startEngineWire']);
});

test('a port that went takes the engine wire along: both are made anew', (t) => {
  const there = compiled(wireOf(application, vlan('eth1', 0)));
  const kinds = plan({ ...there, interfaces: [] }, there, names).map(stepOf);
  t.deepEqual(kinds, ['create macvlan', 'stopEngineWire', 'changeInterface', 'startEngineWire']);
});

// SPDX-License-Identifier: Apache-2.0
// The planner's rules for an end at another node.

import test from 'ava';
import { inverse } from '../../../src/plan/action.ts';
import { mtuOf } from '../../../src/plan/compile.ts';
import { choosePath } from '../../../src/plan/path.ts';
import { plan } from '../../../src/plan/planner.ts';
import { interfaceOf, nothing } from '../../../src/plan/state.ts';
import { describe } from '../../../src/plan/words.ts';
import type { Wire } from '../../../src/wire/wire.ts';
import { compiled, kernel, memif, names, read, vxlan, wireOf, stepOf } from './plan-support.ts';

const [a, c] = ['/run/netns/a', '/run/netns/c'];
const end = kernel(a, 'nsm-1', { addresses: ['10.0.0.1/24'] });
const wire = wireOf(end, vxlan('192.0.2.2'));
const steps = (from: Wire | undefined, to: Wire | undefined) =>
  plan(from ? compiled(from) : nothing, to ? compiled(to) : nothing, names).map(stepOf);

test('a tunnel is the path, in both orders, with reasons that name it', (t) => {
  for (const each of [wire, wireOf(vxlan('192.0.2.2'), end)]) {
    const { path, why } = choosePath(each);
    t.is(path, 'tunnel');
    t.true(why.every((line) => /^[A-Z].*\.$/.test(line)));
    t.regex(why.join(' '), /from 192\.0\.2\.1 to 192\.0\.2\.2, UDP port 4789/);
  }
});

test("the tunnel's device is the interface of the kernel end, and its addresses are in the kernel's spelling", (t) => {
  const state = compiled(read(wireOf(vxlan('2001:DB8:0::2', { local: '2001:db8::0001' }), end)));
  t.is(state.engine, undefined);
  t.is(interfaceOf(state, 'client'), undefined);
  t.like(interfaceOf(state, 'endpoint'), {
    kind: 'vxlan',
    name: 'nsm-1',
    tunnel: { local: '2001:db8::1', remote: '2001:db8::2', port: 4789, vni: 6 },
  });
});

test('without an mtu, the outer packets fit into 1500 bytes', (t) => {
  t.is(mtuOf(wire), 1446);
  t.is(mtuOf(wireOf(end, vxlan('2001:db8::2', { local: '2001:db8::1' }))), 1426);
  t.is(mtuOf({ ...wire, mtu: 8946 }), 8946);
});

test('making and removing: the device in one step, then its dress', (t) => {
  t.deepEqual(steps(undefined, wire), ['create vxlan', 'changeInterface']);
  t.deepEqual(steps(wire, undefined), ['remove vxlan']);
  const [created] = plan(nothing, compiled(wire), names);
  t.is(
    created && describe(created),
    'create the tunnel cw-fresh-c in /run/netns/a from 192.0.2.1 to 192.0.2.2, port 4789, VNI 6',
  );
  t.is(created && stepOf(inverse(created)), 'remove vxlan');
});

test('addresses and mtu change in place', (t) => {
  t.deepEqual(steps(wire, { ...wire, mtu: 1300 }), ['changeInterface']);
  t.deepEqual(steps(wire, wire), []);
});

test('another VNI, port or family is another device: the old one goes last', (t) => {
  const others = [{ vni: 8 }, { port: 4790 }, { local: '2001:db8::1', remote: '2001:db8::2' }];
  for (const more of others)
    t.deepEqual(steps(wire, wireOf(end, vxlan('192.0.2.2', more))), [
      'create vxlan',
      'changeInterface',
      'changeInterface',
      'remove vxlan',
    ]);
});

test('opposite memif, the engine has the tunnel, and gives it up before an interface takes its place', (t) => {
  const engine = wireOf(memif('/run/m.sock'), vxlan('192.0.2.2'));
  t.is(choosePath(engine).path, 'engine');
  t.like(compiled(engine).engine?.endpoint, {
    kind: 'tunnel',
    tunnel: { kind: 'vxlan', remote: '192.0.2.2' },
    mtu: 1446,
  });
  t.deepEqual(steps(undefined, engine), ['startEngineWire']);
  t.deepEqual(steps(engine, wire), ['stopEngineWire', 'create vxlan', 'changeInterface']);
  t.deepEqual(steps(wire, engine), ['remove vxlan', 'startEngineWire']);
  t.deepEqual(steps(engine, wireOf(memif('/run/m.sock'), vxlan('192.0.2.3'))), ['stopEngineWire', 'startEngineWire']);
  t.deepEqual(steps(engine, wireOf(memif('/run/m.sock'), vxlan('192.0.2.2', { vni: 8 }))), ['replaceEngineEnd']);
});

test('the kernel has a VNI once at a port: for another remote or namespace the old device goes first', (t) => {
  const others = [
    wireOf(end, vxlan('192.0.2.3')),
    wireOf(end, vxlan('192.0.2.2', { local: '192.0.2.9' })),
    wireOf({ ...end, namespace: { netns: c } }, vxlan('192.0.2.2')),
    wireOf(vxlan('192.0.2.2'), end),
  ];
  for (const to of others) t.deepEqual(steps(wire, to), ['remove vxlan', 'create vxlan', 'changeInterface']);
});

// SPDX-License-Identifier: Apache-2.0
// Unique kernel resources: before namespaces are resolved, and afterwards.

import test from 'ava';
import { type Claimant, Claims, refusalsToItself } from '../../../src/wire/claims.ts';
import type { Wire } from '../../../src/wire/wire.ts';
import { kernel, memif, namespaceAt, vfio, vlan, vxlan, wireguard, wireOf } from '../plan/plan-support.ts';

const [a, b] = ['/run/netns/a', '/run/netns/b'];
const named = (name: string, wire: Wire, more: Partial<Claimant> = {}): Claimant => ({
  wire: { ...wire, name },
  ...more,
});
const codes = (...asked: readonly Claimant[]) => new Claims().refusals(asked).map(({ code }) => code);
const x = kernel(b, 'x');

test('two wires contradict each other by name, interface, memif id, tunnel and device, and by nothing else', (t) => {
  const one = named('one', wireOf(kernel(a, 'eth1'), x));
  t.deepEqual(codes(one, named('one', wireOf(kernel(a, 'eth2'), kernel(b, 'y')))), ['DUPLICATE_NAME']);
  t.deepEqual(codes(one, named('two', wireOf(kernel(a, 'eth1'), kernel(b, 'y')))), ['INTERFACE_CLAIMED']);
  t.deepEqual(codes(one, named('two', wireOf(kernel(b, 'eth1'), kernel(b, 'y')))), []);
  const pairs: readonly [Wire['client']['mechanism'], Wire['client']['mechanism'], string[]][] = [
    [memif('@m'), memif('@m'), ['MEMIF_CLAIMED']],
    [memif('@m', { role: 'client' }), memif('@m', { role: 'client' }), ['MEMIF_CLAIMED']],
    [memif('@m'), memif('@m', { role: 'client' }), []], // a chain within this forwarder
    [memif('@m'), memif('@m', { id: 1 }), []],
    [vxlan('192.0.2.2'), vxlan('192.0.2.3'), ['TUNNEL_CLAIMED']],
    [vxlan('192.0.2.2'), vxlan('192.0.2.2', { vni: 99 }), []],
    [wireguard('192.0.2.2'), wireguard('2001:db8::2'), ['TUNNEL_CLAIMED']],
    [vlan('eth0', 7), vlan('eth0', 7), []],
    [vfio({ pci: '0000:01:10.0' }), vfio({ pci: '0000:01:10.0' }), ['DEVICE_CLAIMED']],
    [vfio({ resource: 'a/b' }), vfio({ resource: 'a/b' }), []],
  ];
  for (const [first, second, expected] of pairs)
    t.deepEqual(codes(named('one', wireOf(x, first)), named('two', wireOf(kernel(b, 'y'), second))), expected);
});

test('a namespace by two paths is one once it is resolved; a device of a resource is claimed once it is chosen', (t) => {
  const [one, two] = [wireOf(kernel(a, 'eth1'), x), wireOf(kernel('/proc/7/ns/net', 'eth1'), kernel(b, 'y'))];
  t.deepEqual(codes(named('one', one), named('two', two)), []);
  const namespaces = { client: namespaceAt(a), endpoint: namespaceAt(b) };
  t.deepEqual(codes(named('one', one, { namespaces }), named('two', two, { namespaces })), ['INTERFACE_CLAIMED']);
  const devices = { client: '0000:01:10.0' };
  const lent = wireOf(vfio({ resource: 'a/b' }), vlan('eth0', 7));
  t.deepEqual(codes(named('one', lent, { devices }), named('two', lent, { devices })), ['DEVICE_CLAIMED']);
});

test('a refusal names what is claimed, and the wire that has it with the place where it was read', (t) => {
  const claims = new Claims();
  claims.hold(named('one', wireOf(x, kernel(a, 'eth1')), { place: 'w.yaml:4' }));
  const [refusal] = claims.refusals([named('two', wireOf(kernel(a, 'eth1'), kernel(b, 'y')))]);
  t.like(refusal, { wire: 'two', end: 'client', path: ['spec', 'client', 'kernel'] });
  t.is(refusal?.reason, `interface eth1 in ${a} is also the endpoint end of wire one at w.yaml:4`);
});

test('what is reserved is held until it is released, and a wire of the same name gives way', (t) => {
  const claims = new Claims();
  const one = named('one', wireOf(x, vfio({ pci: '0000:01:10.0' })));
  const release = claims.reserve([one]);
  t.notThrows(() => claims.reserve([{ ...one }])());
  const other = [named('two', wireOf(x, kernel(a, 'y')))];
  t.throws(() => claims.reserve(other), { code: 'INTERFACE_CLAIMED' });
  t.true(claims.isDeviceHeld('0000:01:10.0', new Set()));
  t.false(claims.isDeviceHeld('0000:01:10.0', new Set(['one'])));
  release();
  t.false(claims.isDeviceHeld('0000:01:10.0', new Set()));
  t.notThrows(() => claims.reserve(other));
});

test('a wire to itself is refused as such, and not as two ends with one claim', (t) => {
  for (const [noun, wire] of Object.entries({
    interface: wireOf(x, x),
    memif: wireOf(memif('@m'), memif('@m', { role: 'client' })),
    device: wireOf(vfio({ pci: '0000:01:10.0' }), vfio({ pci: '0000:01:10.0' })),
  })) {
    const claimant = named('one', wire);
    t.deepEqual(new Claims().refusals([claimant]), []);
    t.like(refusalsToItself(claimant), { length: 1, 0: { code: 'WIRE_TO_ITSELF' } });
    t.regex(refusalsToItself(claimant)[0]?.reason ?? '', new RegExp(`the same ${noun}: `));
  }
});

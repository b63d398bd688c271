// SPDX-License-Identifier: Apache-2.0
// Virtual functions as ends, in wire files.

import test from 'ava';
import { stringify } from 'yaml';
import { readDocument, toDocument } from '../../../src/wire/wire-document.ts';
import { parseWireFile } from '../../../src/wire/wire-file.ts';
import { type Refusal, testRefusals } from './refusals.ts';

const kernel = (device?: object, name = 'eth1') => ({ kernel: { netns: '/run/netns/web', interface: name, device } });
const vfio = (device: object, more: object = {}) => ({ vfio: { device, ...more } });
const pci = '0000:01:10.0';

function file(client: object, endpoint: object = kernel(undefined, 'eth2'), name = 'web'): string {
  const spec = { client, endpoint };
  return stringify({ apiVersion: 'crosswire.dev/v1alpha1', kind: 'Wire', metadata: { name }, spec });
}

test('a device by address, short or long, in any case; or by resource, with its settings', (t) => {
  const { wires, errors } = parseWireFile(file(kernel({ pci: '0A:10.7', vlan: 7, trust: true })), 'w.yaml');
  t.deepEqual(errors, []);
  t.like(wires[0]?.client.mechanism, { device: { pci: '0000:0a:10.7', vlan: 7, trust: true } });
  const settings = { spoofCheck: false, maxRate: 500 };
  const [wire] = parseWireFile(
    file(vfio({ resource: 'worker.domain/10G', ...settings }, { cgroup: '/kube' })),
    'w',
  ).wires;
  t.deepEqual(wire?.client.mechanism, {
    type: 'vfio',
    device: { resource: 'worker.domain/10G', ...settings },
    cgroup: '/kube',
  });
  if (!wire) return t.fail();
  t.deepEqual(readDocument(JSON.parse(JSON.stringify(toDocument(wire)))), { wire, problems: [] });
});

const vxlan = { vxlan: { local: '192.0.2.1', remote: '192.0.2.2', vni: 6 } };
const bad: readonly Refusal[] = [
  ['no PCI address', file(kernel({ pci: 'eth0' })), 'VALUE_INVALID', /no PCI address/],
  ['a function beyond 7', file(kernel({ pci: '0000:01:10.8' })), 'VALUE_INVALID', /no PCI address/],
  ['no resource', file(kernel({ resource: '10G' })), 'VALUE_INVALID', /no resource/],
  ['neither', file(vfio({ vlan: 7 })), 'KEY_MISSING', /not named/],
  ['both', file(vfio({ pci, resource: 'a/b' })), 'VALUE_INVALID', /second device/],
  ['VLAN 4095', file(kernel({ pci, vlan: 4095 })), 'VALUE_INVALID', /more than 4094/],
  ['a text as trust', file(kernel({ pci, trust: 'on' })), 'VALUE_INVALID', /true or false/],
  ['an unknown key', file(kernel({ pci, vlans: 7 })), 'KEY_UNKNOWN', /'vlans' is unknown/],
  ['a tunnel opposite', file(vxlan, vfio({ pci })), 'VALUE_INVALID', /reaches no vxlan end/],
  ['one device for both', file(kernel({ pci }), vfio({ pci: '01:10.0' })), 'WIRE_TO_ITSELF', /same device/],
  ['two VLANs', file(kernel({ pci, vlan: 7 }), vfio({ resource: 'a/b', vlan: 8 })), 'VALUE_INVALID', /VLAN 7/],
  ['vfio and kernel', file({ ...kernel(), ...vfio({ pci }) }), 'MECHANISM_COUNT', /kernel and vfio/],
];

testRefusals(bad);

test('one device is an end of one wire; a resource has many', (t) => {
  const codes = (one: object, other: object) => {
    const second = file(other, kernel(undefined, 'eth4'), 'b');
    return parseWireFile(`${file(one)}---\n${second}`, 'w.yaml').errors.map((error) => error.code);
  };
  t.deepEqual(codes(kernel({ pci }), kernel({ pci: '01:10.0' }, 'eth3')), ['DEVICE_CLAIMED']);
  t.deepEqual(codes(vfio({ pci }), kernel({ pci }, 'eth3')), ['DEVICE_CLAIMED']);
  t.deepEqual(codes(vfio({ resource: 'a/b' }), vfio({ resource: 'a/b' })), []);
});

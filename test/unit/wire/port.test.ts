// SPDX-License-Identifier: Apache-2.0
// memif opposite a virtual function or a VLAN, in wire files.

import test from 'ava';
import { stringify } from 'yaml';
import { readDocument, toDocument } from '../../../src/wire/wire-document.ts';
import { parseWireFile } from '../../../src/wire/wire-file.ts';
import { type Refusal, testRefusals } from './refusals.ts';

const mac = '02:00:00:00:00:42';
const memif = (more: object = { mac }) => ({ memif: { socket: '/run/m.sock', role: 'server', ...more } });
const kernel = (device?: object) => ({ kernel: { netns: '/run/netns/web', interface: 'eth1', device } });
const pci = { pci: '0000:01:10.0' };
const vfio = { vfio: { device: pci } };
const vlan = { vlan: { device: 'eth1', id: 7 } };

function file(client: object, endpoint: object, more: object = {}): string {
  const spec = { client, endpoint, ...more };
  return stringify({ apiVersion: 'crosswire.dev/v1alpha1', kind: 'Wire', metadata: { name: 'web' }, spec });
}

test('with the MAC address of the application, in any case and order', (t) => {
  for (const opposite of [kernel(pci), vfio, vlan]) {
    const { wires, errors } = parseWireFile(file(opposite, memif({ mac: mac.toUpperCase() })), 'w.yaml');
    t.deepEqual(errors, []);
    const [wire] = wires;
    if (!wire) return t.fail();
    t.like(wire.endpoint.mechanism, { type: 'memif', mac });
    t.deepEqual(readDocument(JSON.parse(JSON.stringify(toDocument(wire)))), { wire, problems: [] });
    t.deepEqual(parseWireFile(file(memif(), opposite), 'w.yaml').errors, []);
  }
});

const bad: readonly Refusal[] = [
  ['no MAC opposite a function', file(kernel(pci), memif({})), 'KEY_MISSING', /opposite a virtual function end/],
  ['no MAC opposite vfio', file(memif({}), vfio), 'KEY_MISSING', /opposite a virtual function end/],
  ['no MAC opposite a VLAN', file(memif({}), vlan), 'KEY_MISSING', /opposite a vlan end/],
  ['a MAC that nothing looks at', file(kernel(), memif()), 'VALUE_INVALID', /nothing looks at it/],
  ['no MAC at all', file(kernel(pci), memif({ mac: 'x' })), 'VALUE_INVALID', /MAC address/],
  ['payload ip', file(kernel(pci), memif(), { payload: 'ip' }), 'VALUE_INVALID', /carries Ethernet frames/],
];

testRefusals(bad);

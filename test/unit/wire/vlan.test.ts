// SPDX-License-Identifier: Apache-2.0
// Ends behind a host device, in wire files.

import test from 'ava';
import { stringify } from 'yaml';
import { readDocument, toDocument } from '../../../src/wire/wire-document.ts';
import { parseWireFile } from '../../../src/wire/wire-file.ts';
import { type Refusal, testRefusals } from './refusals.ts';

const kernel = { netns: '/run/netns/web', interface: 'eth1' };
const vlan = { device: 'ens2f0', id: 100 };
const vxlan = { local: '192.0.2.1', remote: '192.0.2.2', vni: 6 };

function file(ends: { client?: object; endpoint?: object }, more: object = {}, name = 'web'): string {
  const spec = { client: { kernel }, endpoint: { vlan }, ...ends, ...more };
  return stringify({ apiVersion: 'crosswire.dev/v1alpha1', kind: 'Wire', metadata: { name }, spec });
}
const tagged = (more: object) => file({ endpoint: { vlan: { ...vlan, ...more } } });

test('a device and an id, with 0 for frames without a tag', (t) => {
  for (const id of [0, 1, 4094]) {
    const { wires, errors } = parseWireFile(tagged({ id }), 'w.yaml');
    t.deepEqual(errors, []);
    const [wire] = wires;
    if (!wire) return t.fail();
    t.deepEqual(wire.endpoint.mechanism, { type: 'vlan', device: 'ens2f0', id });
    t.deepEqual(readDocument(JSON.parse(JSON.stringify(toDocument(wire)))), { wire, problems: [] });
  }
});

test('many wires share a device and an id, and not their interfaces', (t) => {
  const second = file({ client: { kernel: { ...kernel, interface: 'eth2' } } }, {}, 'b');
  const codes = (text: string) => parseWireFile(`${file({})}---\n${text}`, 'w.yaml').errors.map(({ code }) => code);
  t.deepEqual(codes(second), []);
  t.deepEqual(codes(file({}, {}, 'b')), ['INTERFACE_CLAIMED']);
});

const bad: readonly Refusal[] = [
  ['payload ip', file({}, { payload: 'ip' }), 'VALUE_INVALID', /VLAN carries Ethernet frames/],
  ['at both ends', file({ client: { vlan } }), 'VALUE_INVALID', /both ends are beyond this node/],
  ['opposite a tunnel', file({ client: { vxlan } }), 'VALUE_INVALID', /both ends are beyond this node/],
  ['two mechanisms', file({ client: { kernel, vlan } }), 'MECHANISM_COUNT', /kernel and vlan/],
  ['no id', tagged({ id: undefined }), 'KEY_MISSING', /'id' is missing/],
  ['an id below 0', tagged({ id: -1 }), 'VALUE_INVALID', /less than 0/],
  ['the reserved id', tagged({ id: 4095 }), 'VALUE_INVALID', /more than 4094/],
  ['no device', tagged({ device: undefined }), 'KEY_MISSING', /'device' is missing/],
  ['a device of 16 bytes', tagged({ device: 'enp101s0f0np0xyz' }), 'VALUE_INVALID', /at most 15/],
  ['a path for a device', tagged({ device: '/dev/eth1' }), 'VALUE_INVALID', /cannot/],
  ['an unknown key', tagged({ vid: 3 }), 'KEY_UNKNOWN', /'vid' is unknown/],
];

testRefusals(bad);

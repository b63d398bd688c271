// SPDX-License-Identifier: Apache-2.0
// Ends behind a tunnel, in wire files.

import test from 'ava';
import { stringify } from 'yaml';
import { readDocument, toDocument } from '../../../src/wire/wire-document.ts';
import { parseWireFile } from '../../../src/wire/wire-file.ts';
import { type Refusal, testRefusals } from './refusals.ts';

const kernel = { netns: '/run/netns/web', interface: 'eth1' };
const vxlan = { local: '192.0.2.1', remote: '192.0.2.2', vni: 6 };

function file(ends: { client?: object; endpoint?: object }, more: object = {}, name = 'web'): string {
  const spec = { client: { kernel }, endpoint: { vxlan }, ...ends, ...more };
  return stringify({ apiVersion: 'crosswire.dev/v1alpha1', kind: 'Wire', metadata: { name }, spec });
}
const tunnel = (more: object) => file({ endpoint: { vxlan: { ...vxlan, ...more } } });

test('local, remote and vni are enough; the port is 4789; addresses come out as the kernel prints them', (t) => {
  const { wires, errors } = parseWireFile(file({}), 'w.yaml');
  t.deepEqual(errors, []);
  t.deepEqual(wires[0]?.endpoint.mechanism, { type: 'vxlan', ...vxlan, port: 4789 });
  const six = parseWireFile(tunnel({ local: '2001:DB8:0::1', remote: '2001:db8::0002', port: 8472 }), 'w.yaml')
    .wires[0];
  t.like(six?.endpoint.mechanism, { local: '2001:db8::1', remote: '2001:db8::2', port: 8472 });
  if (!six) return t.fail();
  t.deepEqual(readDocument(JSON.parse(JSON.stringify(toDocument(six)))), { wire: six, problems: [] });
});

const most = 2 ** 24 - 1;
const bad: readonly Refusal[] = [
  ['payload ip', file({}, { payload: 'ip' }), 'VALUE_INVALID', /carries Ethernet frames/],
  ['a tunnel at both ends', file({ client: { vxlan } }), 'VALUE_INVALID', /both ends are beyond this node/],
  ['two mechanisms', file({ client: { kernel, vxlan } }), 'MECHANISM_COUNT', /kernel and vxlan/],
  ['two families', tunnel({ remote: '2001:db8::2' }), 'VALUE_INVALID', /IPv6 address, but the local one is of IPv4/],
  ['to itself', tunnel({ remote: '192.0.2.1' }), 'VALUE_INVALID', /lead to itself/],
  ['multicast', tunnel({ remote: '239.1.1.1' }), 'VALUE_INVALID', /multicast/],
  ['link-local', tunnel({ local: 'fe80::1', remote: '2001:db8::1' }), 'VALUE_INVALID', /link-local/],
  ['no address', tunnel({ remote: 'node-2' }), 'VALUE_INVALID', /no IP address/],
  ['VNI 0', tunnel({ vni: 0 }), 'VALUE_INVALID', /less than 1/],
  ['a VNI of 25 bits', tunnel({ vni: most + 1 }), 'VALUE_INVALID', /more than 16777215/],
  ['no VNI', tunnel({ vni: undefined }), 'KEY_MISSING', /'vni' is missing/],
  ['a port beyond 65535', tunnel({ port: 65_536 }), 'VALUE_INVALID', /more than 65535/],
  ['an unknown key', tunnel({ remot: '192.0.2.3' }), 'KEY_UNKNOWN', /'remot' is unknown/],
  ['an mtu that no IPv4 packet holds', file({}, { mtu: 65_500 }), 'VALUE_INVALID', /more than 65485/],
];

testRefusals(bad);

test('one VNI at one port is one tunnel, whatever the remote; at another port or family it is another', (t) => {
  const second = (more: object) =>
    file({ client: { kernel: { ...kernel, interface: 'eth2' } }, endpoint: { vxlan: { ...vxlan, ...more } } }, {}, 'b');
  const codes = (more: object) => parseWireFile(`${file({})}---\n${second(more)}`, 'w.yaml').errors.map((e) => e.code);
  t.deepEqual(codes({ remote: '192.0.2.3' }), ['TUNNEL_CLAIMED']);
  for (const more of [{ vni: 7 }, { port: 4790 }, { local: '2001:db8::1', remote: '2001:db8::2' }])
    t.deepEqual(codes(more), []);
});

// SPDX-License-Identifier: Apache-2.0
// Ends behind WireGuard, in wire files.

import { generateKeyPairSync } from 'node:crypto';
import test from 'ava';
import { stringify } from 'yaml';
import { readDocument, toDocument } from '../../../src/wire/wire-document.ts';
import { parseWireFile } from '../../../src/wire/wire-file.ts';
import { type Refusal, testRefusals } from './refusals.ts';
import { publicKeyOf } from '../../../src/wire/mechanisms/wireguard.ts';
import { keys } from '../plan/plan-support.ts';

const kernel = { netns: '/run/netns/web', interface: 'eth1' };
const { privateKey, ownPublicKey, publicKey } = keys;
const wireguard = { remote: '192.0.2.2', privateKey, publicKey };

function file(ends: { client?: object; endpoint?: object }, more: object = {}, name = 'web'): string {
  const spec = { payload: 'ip', client: { kernel }, endpoint: { wireguard }, ...ends, ...more };
  return stringify({ apiVersion: 'crosswire.dev/v1alpha1', kind: 'Wire', metadata: { name }, spec });
}
const tunnel = (more: object) => file({ endpoint: { wireguard: { ...wireguard, ...more } } });

test('remote and keys are enough; the ports are 51820; the own public key follows', (t) => {
  const { wires, errors } = parseWireFile(tunnel({ remote: '2001:DB8:0::2' }), 'w.yaml');
  t.deepEqual(errors, []);
  const ports = { localPort: 51_820, remotePort: 51_820 };
  const mechanism = { type: 'wireguard', ...ports, remote: '2001:db8::2', privateKey, ownPublicKey, publicKey };
  t.deepEqual(wires[0]?.endpoint.mechanism as object, mechanism);
  if (!wires[0]) return t.fail();
  t.deepEqual(readDocument(JSON.parse(JSON.stringify(toDocument(wires[0])))), { wire: wires[0], problems: [] });
});

test('a public key follows from its private key as node:crypto has it; from nothing else follows one', (t) => {
  const { d = '', x = '' } = generateKeyPairSync('x25519').privateKey.export({ format: 'jwk' });
  const standard = (text: string) => Buffer.from(text, 'base64url').toString('base64');
  t.is(publicKeyOf(standard(d)), standard(x));
  for (const none of ['', '(set)', 7, undefined, privateKey.slice(1), `${privateKey}=`])
    t.is(publicKeyOf(none), undefined);
});

const bad: readonly Refusal[] = [
  ['payload ethernet', file({}, { payload: 'ethernet' }), 'VALUE_INVALID', /carries IP packets/],
  ['no payload, which is ethernet', file({}, { payload: undefined }), 'VALUE_INVALID', /carries IP packets/],
  ['a tunnel at both ends', file({ client: { wireguard } }), 'VALUE_INVALID', /both ends are beyond this node/],
  ['two mechanisms', file({ client: { kernel, wireguard } }), 'MECHANISM_COUNT', /kernel and wireguard/],
  [
    'a MAC',
    file({ client: { kernel: { ...kernel, mac: '02:00:00:00:00:01' } } }),
    'VALUE_INVALID',
    /wireguard end has no MAC/,
  ],
  ['its own public key', tunnel({ publicKey: ownPublicKey }), 'VALUE_INVALID', /lead to itself/],
  ['link-local', tunnel({ remote: 'fe80::1' }), 'VALUE_INVALID', /link-local/],
  ['a key of 31 bytes', tunnel({ privateKey: Buffer.alloc(31).toString('base64') }), 'VALUE_INVALID', /is no key/],
  ['a hidden key', tunnel({ privateKey: '(set)' }), 'VALUE_INVALID', /is no key/],
  ['no public key', tunnel({ publicKey: undefined }), 'KEY_MISSING', /'publicKey' is missing/],
  ['port 0', tunnel({ localPort: 0 }), 'VALUE_INVALID', /less than 1/],
  ['an mtu that no IPv4 packet holds', file({}, { mtu: 65_480 }), 'VALUE_INVALID', /more than 65475/],
];

testRefusals(bad, (t, errors) =>
  t.false(JSON.stringify(errors).includes(privateKey.slice(0, 12)), 'the private key is told nobody'),
);

test('a private key that is written wrongly is not repeated either', (t) => {
  const wrong = [privateKey.slice(2), `${privateKey} `, [privateKey], { key: privateKey }, `x${privateKey}`];
  for (const one of wrong) {
    const { errors } = parseWireFile(tunnel({ privateKey: one }), 'w.yaml');
    t.true(errors.length > 0);
    t.false(JSON.stringify(errors).includes(privateKey.slice(4, 16)), JSON.stringify(errors));
  }
});

test('one port is one tunnel, whatever the remote', (t) => {
  const second = (more: object) =>
    file(
      { client: { kernel: { ...kernel, interface: 'eth2' } }, endpoint: { wireguard: { ...wireguard, ...more } } },
      {},
      'b',
    );
  const codes = (more: object) => parseWireFile(`${file({})}---\n${second(more)}`, 'w.yaml').errors.map((e) => e.code);
  t.deepEqual(codes({ remote: '2001:db8::3' }), ['TUNNEL_CLAIMED']);
  t.deepEqual(codes({ localPort: 51_821 }), []);
});

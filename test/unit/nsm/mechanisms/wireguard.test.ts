// SPDX-License-Identifier: Apache-2.0
// The mechanism WIREGUARD: what two forwarders tell each other, and what wires they make of it.

import test from 'ava';
import { readDocument } from '../../../../src/wire/wire-document.ts';
import type { WireguardMechanism } from '../../../../src/wire/mechanisms/wireguard.ts';
import { Connection, Mechanism } from '../../../../src/nsm/generated/connection.ts';
import { completed } from '../../../../src/nsm/mechanisms/index.ts';
import type { TunnelSide } from '../../../../src/nsm/mechanisms/mechanism.ts';
import { acceptable, leadingTunnel, offersFor } from '../../../../src/nsm/mechanisms/offers.ts';
import { Books } from '../../../../src/nsm/mechanisms/tunnels.ts';
import { WireguardBook } from '../../../../src/nsm/mechanisms/wireguard.ts';
import { wireDocumentOf } from '../../../../src/nsm/wire/wire-document.ts';

const first = 51_820;
const book = (taken: readonly number[] = []) =>
  new WireguardBook({ first, isFree: async (port) => !taken.includes(port) });
const nodes = {
  a: { address: '10.0.0.1', mtu: 1500, ports: { wireguard: first } },
  b: { address: '10.0.0.2', mtu: 9000, ports: { wireguard: first } },
};
const farUrl = 'tcp://10.0.0.2:5001';
const offering = { tunnel: nodes.a, priority: [] };
const kernel = { cls: 'LOCAL', type: 'KERNEL', parameters: { inodeURL: 'inode://4/4026532526', name: 'nsm-1' } };
const connection = Connection.fromPartial({
  id: 'c1',
  networkService: 'icmp',
  payload: 'IP',
  context: { MTU: 1440, ipContext: { srcIpAddrs: ['10.0.0.1/32'], dstIpAddrs: ['10.0.0.2/32'] } },
});

function answered(offer: Mechanism, side: TunnelSide): Mechanism {
  const parts = {
    tunnel: nodes.b,
    books: new Books(nodes.b, async () => true),
    side,
    temporaryDirectory: '/tmp',
  };
  return completed(parts, connection, offer);
}

function tunnelOf(client: Mechanism, endpoint: Mechanism, side: TunnelSide): WireguardMechanism {
  const pathOf = () => '/proc/self/fd/9';
  const agreement = { name: 'nsm-c1', connection, client, endpoint, side, memifViaEngine: true, pathOf };
  const reading = readDocument(wireDocumentOf(agreement));
  if (!('wire' in reading)) throw new Error(JSON.stringify(reading.problems));
  const end = client.type === 'WIREGUARD' ? reading.wire.client : reading.wire.endpoint;
  return end.mechanism as WireguardMechanism;
}

test('to another node packets go by WIREGUARD where the kernel has it; not on this node, and not ETHERNET', (t) => {
  t.is(leadingTunnel(offering, 'IP', farUrl)?.type, 'WIREGUARD');
  t.is(leadingTunnel(offering, 'ETHERNET', farUrl), undefined);
  t.is(leadingTunnel(offering, 'IP', 'unix:///x'), undefined);
  t.is(leadingTunnel({ priority: [] }, 'IP', farUrl), undefined);
  const without = { tunnel: { ...nodes.a, ports: { vxlan: 4789 } }, priority: [] };
  t.is(leadingTunnel(without, 'IP', farUrl), undefined);
  t.is(leadingTunnel(without, 'ETHERNET', farUrl)?.type, 'VXLAN');
  const refused = t.throws(() => offersFor({ priority: [] }, 'IP', farUrl));
  t.regex(refused?.message ?? '', /payload IP needs WIREGUARD/);
  const asked = ['VXLAN', 'WIREGUARD'].map((type) => Mechanism.fromPartial({ cls: 'REMOTE', type }));
  const types = acceptable(offering, 'IP', undefined, asked).map(({ type }) => type);
  t.deepEqual(types, ['WIREGUARD']);
  t.throws(() => acceptable(offering, 'ETHERNET', undefined, asked), { code: 'MECHANISM_UNSUPPORTED' });
});

test('the offer has our address, port, public key and mtu; the answer adds the other side, and bounds the mtu', async (t) => {
  const [ours, theirs] = [await book().sideOf('c1'), await book([first]).sideOf('c1')];
  const [offer] = offersFor(offering, 'IP', farUrl, { side: ours }) as [Mechanism];
  const asked = { src_ip: '10.0.0.1', src_port: '51820', src_public_key: ours.publicKey, MTU: '1440' };
  t.deepEqual(offer, { cls: 'REMOTE', type: 'WIREGUARD', parameters: asked });
  t.regex(ours.publicKey, /^[A-Za-z0-9+/]{43}=$/);
  const answer = answered(offer, theirs);
  const added = { dst_ip: '10.0.0.2', dst_port: '51821', dst_public_key: theirs.publicKey };
  t.deepEqual(answer.parameters, { ...asked, ...added });
  t.false(JSON.stringify([offer, answer]).includes(ours.privateKey), 'no private key is told');
  t.deepEqual(answered(answer, theirs), answer, 'a refresh changes nothing');
});

test('the wires of both nodes are each other’s mirror', async (t) => {
  const [ours, theirs] = [await book().sideOf('c1'), await book([first, first + 1]).sideOf('c1')];
  const [offer] = offersFor(offering, 'IP', farUrl, { side: ours }) as [Mechanism];
  const answer = answered(offer, theirs);
  const [near, far] = [tunnelOf(kernel, answer, ours), tunnelOf(answer, kernel, theirs)];
  t.like(near, { localPort: first, remote: '10.0.0.2', remotePort: first + 2, privateKey: ours.privateKey });
  t.like(far, { localPort: first + 2, remote: '10.0.0.1', remotePort: first, privateKey: theirs.privateKey });
  t.is(near.publicKey, far.ownPublicKey);
  t.is(far.publicKey, near.ownPublicKey);
});

test('an answer without a key, an address or a port makes no wire', async (t) => {
  const ours = await book().sideOf('c1');
  const [offer] = offersFor(offering, 'IP', farUrl, { side: ours }) as [Mechanism];
  const { parameters } = answered(offer, await book().sideOf('c1'));
  for (const key of ['dst_ip', 'dst_port', 'dst_public_key']) {
    const { [key]: _, ...rest } = parameters;
    for (const spoilt of [rest, { ...rest, [key]: 'x' }])
      t.throws(() => tunnelOf(kernel, { ...offer, parameters: spoilt }, ours), undefined, key);
  }
});

test('each connection has a port and keys of its own, the same every time, and gives the port back', async (t) => {
  const ports = book([first + 1]);
  const [one, other] = await Promise.all([ports.sideOf('c1'), ports.sideOf('c2')]);
  t.deepEqual([one.port, other.port], [first, first + 2]);
  t.not(one.privateKey, other.privateKey);
  t.deepEqual(await ports.sideOf('c1'), one);
  ports.release('c1');
  const third = await ports.sideOf('c3');
  t.is(third.port, first);
  t.not(third.privateKey, one.privateKey);
});

test('after a restart the wire that stands says which port and keys the connection has', async (t) => {
  const before = await book().sideOf('c1');
  const standing: WireguardMechanism = {
    type: 'wireguard',
    localPort: before.port,
    remote: '10.0.0.2',
    remotePort: first,
    privateKey: before.privateKey,
    ownPublicKey: before.publicKey,
    publicKey: before.publicKey,
  };
  const again = book([before.port]); // its device has it
  t.deepEqual(await again.sideOf('c1', standing), before);
  const stolen = await again.sideOf('c2', standing);
  t.not(stolen.port, before.port, 'another connection does not get it');
  t.not(stolen.privateKey, before.privateKey);
});

test('no port left is an error, not a wait', async (t) => {
  const full = new WireguardBook({ first: 65_534, isFree: async () => false });
  await t.throwsAsync(full.sideOf('c1'), { code: 'MECHANISM_UNSUPPORTED', message: /none is free/ });
});

// SPDX-License-Identifier: Apache-2.0

import test from 'ava';
import { kernel } from '../../../fakes/wires.ts';
import { Connection, Mechanism } from '../../../../src/nsm/generated/connection.ts';
import { completed } from '../../../../src/nsm/mechanisms/index.ts';
import { acceptable, offersFor } from '../../../../src/nsm/mechanisms/offers.ts';
import { Books, tunnelMtu } from '../../../../src/nsm/mechanisms/tunnels.ts';
import { vniParity } from '../../../../src/nsm/mechanisms/vni.ts';

const tunnel = { address: '10.0.0.2', ports: { vxlan: 4789 }, mtu: 1500 };
const offering = { tunnel, priority: [] };
const types = (list: readonly Mechanism[]) => list.map(({ type }) => type);
const mechanism = (type: string, parameters: Record<string, string> = {}) =>
  Mechanism.fromPartial({ cls: 'LOCAL', type, parameters });
const connection = Connection.fromPartial({ id: 'c1', networkService: 'my-service-name' });
const parts = () => ({ tunnel, books: new Books(tunnel, async () => true), temporaryDirectory: '/tmp' });

test('on this node memif goes before kernel, unless told otherwise', (t) => {
  t.deepEqual(types(offersFor(offering, 'IP', 'inode://4/7')), ['MEMIF', 'KERNEL']);
  t.deepEqual(types(offersFor({ priority: ['kernel'] }, 'IP', 'unix:///x')), ['KERNEL', 'MEMIF']);
});

test('an endpoint hears what its interface is called already, another node its identifier', (t) => {
  const [, first] = offersFor(offering, 'IP', 'inode://4/7');
  const [, again] = offersFor(offering, 'IP', 'inode://4/7', { standing: kernel('svc-1-a') });
  t.deepEqual([first?.parameters, again?.parameters], [{}, { name: 'svc-1-a' }]);
  for (const [local, vni] of [
    [tunnel.address, '8'],
    ['10.0.0.77', undefined],
  ] as const) {
    const standing = { type: 'vxlan', local, remote: '10.0.0.9', port: 4789, vni: 8 } as const;
    const [offer] = offersFor(offering, 'ETHERNET', 'tcp://10.0.0.9:5001', { standing });
    t.is(offer?.parameters['vni'], vni);
  }
});

test('to another node frames go by VXLAN, where there is a tunnel', (t) => {
  const [offer] = offersFor(offering, 'ETHERNET', 'tcp://10.0.0.9:5001');
  t.deepEqual(offer, {
    cls: 'REMOTE',
    type: 'VXLAN',
    parameters: { src_ip: '10.0.0.2', src_port: '4789', MTU: '1446' },
  });
  t.is(tunnelMtu('fd00::1', 1500, 'vxlan'), 1426);
});

test('VLAN goes behind VXLAN, for payload ETHERNET, where gateways are known', (t) => {
  const url = 'tcp://10.0.0.9:5003';
  const known = { ...offering, gateways: true };
  t.deepEqual(types(offersFor(known, 'ETHERNET', url)), ['VXLAN', 'VLAN']);
  t.deepEqual(types(offersFor({ ...known, priority: ['vlan'] }, 'ETHERNET', url)), ['VLAN', 'VXLAN']);
  t.deepEqual(offersFor({ gateways: true, priority: [] }, 'ETHERNET', url), [
    { cls: 'REMOTE', type: 'VLAN', parameters: {} },
  ]);
  t.throws(() => offersFor({ gateways: true, priority: [] }, 'IP', url), { code: 'MECHANISM_UNSUPPORTED' });
  t.deepEqual(types(offersFor(known, 'ETHERNET', 'unix:///x')), ['MEMIF', 'KERNEL']);
  t.throws(() => acceptable(known, 'ETHERNET', undefined, [mechanism('VLAN')]), { code: 'MECHANISM_UNSUPPORTED' });
});

test('where nothing can be offered to another node, the error says why', (t) => {
  const why = (asked: typeof offering | { priority: [] }, payload: string) =>
    t.throws(() => offersFor(asked, payload, 'tcp://10.0.0.9:5001'));
  t.like(why({ priority: [] }, 'ETHERNET'), { code: 'MECHANISM_UNSUPPORTED', subject: 'tcp://10.0.0.9:5001' });
  t.regex(why({ priority: [] }, 'ETHERNET')?.message ?? '', /NSM_TUNNEL_IP/);
  t.regex(why(offering, 'IP')?.message ?? '', /payload IP needs WIREGUARD/);
  const caller = t.throws(() => acceptable(offering, 'IP', undefined, [mechanism('WIREGUARD'), mechanism('IPSEC')]));
  t.regex(caller?.message ?? '', /WIREGUARD, IPSEC.*payload ETHERNET/);
});

test("the caller's order counts; a mechanism in use stands alone", (t) => {
  const asked = ['WIREGUARD', 'KERNEL', 'MEMIF'].map((type) => mechanism(type));
  t.deepEqual(types(acceptable(offering, 'IP', undefined, asked)), ['KERNEL', 'MEMIF']);
  t.deepEqual(types(acceptable(offering, 'IP', mechanism('MEMIF'), asked)), ['MEMIF']);
  const error = t.throws(() => acceptable({ priority: [] }, 'ETHERNET', undefined, [mechanism('VXLAN')]));
  t.like(error, { code: 'MECHANISM_UNSUPPORTED' });
});

test('what the caller said comes back unchanged; an interface name it left open is made of the service', (t) => {
  const url = 'inode://4/4026532526';
  const named = completed(parts(), connection, mechanism('KERNEL', { inodeURL: url, name: 'nsm-1' }));
  t.deepEqual(named.parameters, { inodeURL: url, name: 'nsm-1' });
  const { name } = completed(parts(), connection, mechanism('KERNEL', { inodeURL: url })).parameters;
  t.regex(name ?? '', /^my-service-[0-9a-f]{4}$/);
});

test('a namespace must come as an open file', (t) => {
  for (const inodeURL of ['', 'file:///proc/1/ns/net', 'inode://4/0', 'inode://4/../1']) {
    const error = t.throws(() => completed(parts(), connection, mechanism('KERNEL', { inodeURL, name: 'nsm-1' })));
    t.like(error, { code: 'MECHANISM_PARAMETER' });
  }
});

test('the socket of a memif end follows from the connection', (t) => {
  const asked = mechanism('MEMIF', { inodeURL: 'inode://4/4026532526' });
  t.is(completed(parts(), connection, asked).parameters['socketfile'], '@/tmp/memif/c1/memif.socket');
});

test('the far end of a VXLAN tunnel is ours, with the smaller MTU and an identifier of our parity', (t) => {
  const asked = mechanism('VXLAN', { src_ip: '10.0.0.1', src_port: '4789', MTU: '1400' });
  const { parameters } = completed(parts(), connection, asked);
  t.like(parameters, { dst_ip: '10.0.0.2', dst_port: '4789', MTU: '1400', src_ip: '10.0.0.1' });
  t.is(Number(parameters['vni']) % 2, 0);
  const back = mechanism('VXLAN', { src_ip: '10.0.0.3', src_port: '4789' });
  t.is(Number(completed(parts(), connection, back).parameters['vni']) % 2, 1);
});

test('an identifier that is in use by another connection is refused, by the same one taken', (t) => {
  const own = parts();
  const { parameters } = completed(own, connection, mechanism('VXLAN', { src_ip: '10.0.0.1' }));
  t.is(completed(own, connection, mechanism('VXLAN', parameters)).parameters['vni'], parameters['vni']);
  const asked = mechanism('VXLAN', parameters);
  const other = Connection.fromPartial({ id: 'c2', mechanism: asked });
  t.like(
    t.throws(() => completed(own, other, asked)),
    { code: 'MECHANISM_PARAMETER' },
  );
  const preferred = completed(own, Connection.fromPartial({ id: 'c3' }), asked).parameters['vni'];
  t.not(preferred, parameters['vni'], 'who only prefers it has another');
  own.books.release('c1');
  t.notThrows(() => completed(own, other, asked));
});

test('a caller that forgot its identifier has it again, from the same address', (t) => {
  const own = parts();
  const asked = mechanism('VXLAN', { src_ip: '10.0.0.1' });
  const vni = () => completed(own, connection, asked).parameters['vni'];
  const first = vni();
  t.is(vni(), first);
  const elsewhere = Number(completed(own, connection, mechanism('VXLAN', { src_ip: '10.0.0.3' })).parameters['vni']);
  t.is(elsewhere % 2, 1);
});

test('parity compares addresses before a translation, byte by byte', (t) => {
  t.is(vniParity({ src_ip: '10.0.0.1', dst_ip: '10.0.0.2' }), 0);
  t.is(vniParity({ src_ip: '10.0.0.2', dst_ip: '10.0.0.2' }), 0);
  t.is(vniParity({ src_ip: '10.0.0.10', dst_ip: '10.0.0.9' }), 1);
  t.is(vniParity({ src_ip: '10.0.0.1', orig_src_ip: '10.0.0.3', dst_ip: '10.0.0.2' }), 1);
  t.is(vniParity({ dst_ip: '10.0.0.2' }), 0);
  t.is(vniParity({ src_ip: '10.0.0.2' }), 1);
});

test('addresses before a translation come back as they came; the tunnel goes to those behind it', (t) => {
  const asked = mechanism('VXLAN', {
    src_ip: '203.0.113.7',
    orig_src_ip: '10.0.0.1',
    src_port: '4789',
    dst_ip: '198.51.100.9',
    orig_dst_ip: '10.0.0.9',
  });
  const own = parts();
  const first = completed(own, connection, asked).parameters;
  t.like(first, { src_ip: '203.0.113.7', orig_src_ip: '10.0.0.1', dst_ip: tunnel.address, orig_dst_ip: '10.0.0.9' });
  t.is(Number(first['vni']) % 2, 0, '10.0.0.1 is below 10.0.0.9, though 203.0.113.7 is above 10.0.0.2');

  const again = completed(own, connection, mechanism('VXLAN', { ...first, dst_ip: '198.51.100.9' })).parameters;
  t.deepEqual(again, first, 'a refresh that comes translated once more');
});

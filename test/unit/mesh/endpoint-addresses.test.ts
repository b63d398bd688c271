// SPDX-License-Identifier: Apache-2.0

import test from 'ava';
import { AddressPool } from '../../../src/mesh/endpoint/addresses.ts';
import { InterfaceNames } from '../../../src/mesh/endpoint/interface-names.ts';

test('each connection has a pair of its own, the same one at every refresh, and it is free again afterwards', (t) => {
  const pool = new AddressPool('172.16.1.9/29');
  const first = pool.take('a', undefined, []);
  t.deepEqual(first, { endpoint: '172.16.1.9/32', client: '172.16.1.10/32' });
  t.deepEqual(pool.take('a', undefined, []), first);
  t.deepEqual(pool.take('b', undefined, []), { endpoint: '172.16.1.11/32', client: '172.16.1.12/32' });
  t.deepEqual(pool.take('c', undefined, []), { endpoint: '172.16.1.13/32', client: '172.16.1.14/32' });
  t.throws(() => pool.take('d', undefined, []), { code: 'ADDRESSES_EXHAUSTED' });
  pool.free('a');
  t.deepEqual(pool.take('d', undefined, []), first);
});

test('a prefix of two addresses is one pair; IPv6 has no network address', (t) => {
  const pair = { endpoint: '172.16.1.100/32', client: '172.16.1.101/32' };
  t.deepEqual(new AddressPool('172.16.1.100/31').take('a', undefined, []), pair);
  t.deepEqual(new AddressPool('fd00::/64').take('a', undefined, []), { endpoint: 'fd00::/128', client: 'fd00::1/128' });
});

test('a connection of an earlier run gets its pair back if that is free; excluded prefixes are left out', (t) => {
  const pool = new AddressPool('10.0.0.0/24');
  t.is(pool.take('a', '10.0.0.6/32', []).client, '10.0.0.6/32');
  t.is(pool.take('b', '10.0.0.6/32', []).client, '10.0.0.2/32');
  t.is(pool.take('c', '192.0.2.1/32', ['10.0.0.0/29', 'nonsense']).client, '10.0.0.10/32');
  t.is(pool.take('d', 'nonsense', []).client, '10.0.0.4/32');
  t.is(pool.take('e', '10.0.0.255/32', []).client, '10.0.0.8/32');
});

test('interfaces: the name itself, then numbers, never longer than the kernel takes', (t) => {
  const names = new InterfaceNames('fifteen-letters');
  t.is(names.take('a', undefined), 'fifteen-letters');
  t.is(names.take('b', undefined), 'fifteen-lette-2');
  t.is(names.take('a', undefined), 'fifteen-letters');
  names.free('a');
  t.is(names.take('c', 'fifteen-lette-2'), 'fifteen-letters');
  t.is(names.take('d', 'fifteen-lette-7'), 'fifteen-lette-7');
  t.is(names.take('e', 'eth0'), 'fifteen-lette-3');
});

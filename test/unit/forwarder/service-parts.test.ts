// SPDX-License-Identifier: Apache-2.0
// The parts of the service by themselves: turns, expiry, held files, who watches what, who owns what.

import test from 'ava';
import {
  Connection,
  type ConnectionEvent,
  ConnectionEventType,
  MonitorScopeSelector,
} from '../../../src/nsm/generated/connection.ts';
import { clientOf } from '../../../src/nsm/path/path-segments.ts';
import { Expiry } from '../../../src/forwarder/expiry.ts';
import { HeldFiles } from '../../../src/forwarder/held-files.ts';
import { MonitorHub, matches } from '../../../src/forwarder/monitor-hub.ts';
import { Turns } from '../../../src/forwarder/turns.ts';
import { FakeFiles, FakeMesh } from '../../fakes/mesh.ts';
import { tokenOf } from './service-support.ts';

test('turns: one after the other for one wire, in order, past failures; others do not wait', async (t) => {
  const turns = new Turns();
  const order: string[] = [];
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  const first = turns.take('a', async () => {
    await gate;
    order.push('first');
    throw new Error('failed');
  });
  const second = turns.take('a', async () => order.push('second'));
  await turns.take('b', async () => order.push('other'));
  open();
  await t.throwsAsync(first, { message: 'failed' });
  await second;
  t.deepEqual(order, ['other', 'first', 'second']);
});

test('turns: a queue has an end, and there is room again afterwards', async (t) => {
  const turns = new Turns();
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  const waiting = Array.from({ length: 16 }, () => turns.take('a', () => gate));
  await t.throwsAsync(
    turns.take('a', async () => {}),
    { code: 'TOO_MANY_CALLS' },
  );
  await t.notThrowsAsync(turns.take('b', async () => {}));
  open();
  await Promise.all(waiting);
  await t.notThrowsAsync(turns.take('a', async () => {}));
});

test('expiry: the last time that was armed counts, and none after disarming or stopping', async (t) => {
  const expired: string[] = [];
  const { promise: done, resolve } = Promise.withResolvers<void>();
  const expiry = new Expiry((id) => {
    expired.push(id);
    if (id === 'last') resolve();
  });
  expiry.arm('armed anew', 0);
  expiry.arm('armed anew', 100_000);
  expiry.arm('disarmed', 0);
  expiry.disarm('disarmed');
  expiry.disarm('never armed');
  expiry.arm('in the past', -5);
  expiry.arm('in a century', 100 * 365 * 86_400_000);
  expiry.arm('last', 5);
  const awake = setInterval(() => {}, 1_000);
  t.teardown(() => clearInterval(awake));
  await done;
  t.deepEqual(expired, ['in the past', 'last']);
  expiry.arm('stopped', 0);
  expiry.stop();
  await new Promise((turn) => setTimeout(turn, 20));
  t.deepEqual(expired, ['in the past', 'last']);
});

test('held files: one descriptor for each inode however often it comes, and only those that are used', async (t) => {
  const files = new FakeFiles();
  const held = new HeldFiles();
  const peer = { ...new FakeMesh().peer(''), descriptors: files };
  const { signal } = new AbortController();
  const first = await held.take('inode://4/1', peer, signal);
  t.is(await held.take('inode://4/1', peer, signal), first);
  await held.take('inode://4/2', peer, signal);
  t.is(files.open, 2);
  held.keepOnly(['inode://4/2', undefined]);
  t.is(files.open, 1);
  t.is(held.get('inode://4/1'), undefined);
  t.is(await held.take('inode://4/3', { ...peer, descriptors: undefined }, signal), undefined, 'TCP carries none');
  held.close();
  held.close();
  t.is(files.open, 0);
});

const connection = (id: string, networkService = 'firewall') =>
  Connection.fromPartial({
    id,
    networkService,
    path: {
      index: 1,
      pathSegments: [
        { name: 'nsc', id: `nsc-${id}` },
        { name: 'nsmgr', id },
      ],
    },
  });
const selecting = (pathSegments: { name?: string; id?: string }[], networkServices: string[] = []) =>
  MonitorScopeSelector.fromPartial({ pathSegments, networkServices });

test('selectors: a run of segments anywhere, empty words match all, and services besides', (t) => {
  const one = connection('a');
  t.true(matches(one, selecting([])));
  t.true(matches(one, selecting([{ id: 'a' }])));
  t.true(matches(one, selecting([{ name: 'nsc' }, { id: 'a' }])));
  t.false(matches(one, selecting([{ id: 'a' }, { name: 'nsc' }])), 'in this order');
  t.false(matches(one, selecting([{ name: 'nsc' }, {}, {}])), 'longer than the path');
  t.false(matches(one, selecting([{ name: 'nsc', id: 'a' }])));
  t.true(matches(one, selecting([], ['other', 'firewall'])));
  t.false(matches(one, selecting([{ id: 'a' }], ['other'])));
  t.false(matches(Connection.fromPartial({ id: 'a' }), selecting([{ id: 'a' }])));
});

test('the hub: first all that match, even if none does; then changes in order; nothing after the end', (t) => {
  const hub = new MonitorHub();
  hub.updated(connection('a'));
  hub.updated(connection('b', 'other'));
  const events: ConnectionEvent[] = [];
  const stop = hub.watch({ selector: selecting([], ['firewall']), send: (event) => events.push(event) });
  const nobody: ConnectionEvent[] = [];
  hub.watch({ selector: selecting([{ id: 'x' }]), send: (event) => nobody.push(event) });
  hub.updated(connection('c'));
  hub.updated(connection('b', 'other'));
  hub.renewed(connection('c'));
  hub.deleted(connection('a'));
  stop();
  hub.deleted(connection('c'));
  const { INITIAL_STATE_TRANSFER, UPDATE, DELETE } = ConnectionEventType;
  t.deepEqual(
    events.map(({ type, connections }) => [type, Object.keys(connections).join()]),
    [
      [INITIAL_STATE_TRANSFER, 'a'],
      [UPDATE, 'c'],
      [DELETE, 'a'],
    ],
  );
  t.deepEqual(nobody, [{ type: INITIAL_STATE_TRANSFER, connections: {} }]);
});

test('the client is who the first token says; what cannot be read is nobody', (t) => {
  const of = (token: string) => clientOf(Connection.fromPartial({ path: { index: 0, pathSegments: [{ token }] } }));
  t.is(of(tokenOf('spiffe://test/a')), 'spiffe://test/a');
  for (const token of ['', 'x', 'a.b.c', `a.${Buffer.from('{"sub":5}').toString('base64url')}.c`, 'a.bnVsbA.c'])
    t.is(of(token), '');
  t.is(clientOf(Connection.fromPartial({})), '');
});

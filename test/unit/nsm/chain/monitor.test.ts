// SPDX-License-Identifier: Apache-2.0

import test from 'ava';
import { Monitor, matches } from '../../../../src/nsm/chain/monitor.ts';
import {
  Connection,
  type ConnectionEvent,
  ConnectionEventType,
  MonitorScopeSelector,
} from '../../../../src/nsm/generated/connection.ts';

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

test('monitor: first all that match, even if none does; then changes in order; nothing after the end', (t) => {
  const monitor = new Monitor();
  monitor.updated(connection('a'));
  monitor.updated(connection('b', 'other'));
  const events: ConnectionEvent[] = [];
  const stop = monitor.watch({ selector: selecting([], ['firewall']), send: (event) => events.push(event) });
  const nobody: ConnectionEvent[] = [];
  monitor.watch({ selector: selecting([{ id: 'x' }]), send: (event) => nobody.push(event) });
  monitor.updated(connection('c'));
  monitor.updated(connection('b', 'other'));
  monitor.renewed(connection('c'));
  monitor.deleted(connection('a'));
  stop();
  monitor.deleted(connection('c'));
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

// SPDX-License-Identifier: Apache-2.0

import test from 'ava';
import { Connection } from '../../../../src/nsm/generated/connection.ts';
import { asCallerSees, locate, trimmed } from '../../../../src/nsm/path/update-path.ts';

const segment = (name: string, id: string) => ({ name, id, token: `${name}-token`, expires: undefined, metrics: {} });
const connection = (id: string, index: number, ...names: [string, string][]) =>
  Connection.fromPartial({ id, path: { index, pathSegments: names.map(([name, own]) => segment(name, own)) } });
const counted = () => {
  let made = 0;
  return () => `new-${++made}`;
};
const names = (value: Connection) => value.path?.pathSegments.map(({ name, id }) => `${name}=${id}`);

test('without a path we are its beginning, with the given id or a new one', (t) => {
  const given = locate(Connection.fromPartial({ id: 'mine' }), 'fwd', counted());
  t.deepEqual(names(given.connection), ['fwd=mine']);
  const fresh = locate(Connection.fromPartial({}), 'fwd', counted());
  t.is(fresh.connection.id, 'new-1');
});

test('a first Request appends our segment and moves on to it', (t) => {
  const { connection: here, caller } = locate(connection('m', 1, ['nsc', 'c'], ['mgr', 'm']), 'fwd', counted());
  t.deepEqual(names(here), ['nsc=c', 'mgr=m', 'fwd=new-1']);
  t.is(here.path?.index, 2);
  t.is(here.id, 'new-1');
  t.deepEqual(caller, { id: 'm', index: 1 });
});

test('a refresh finds our id again and keeps the segments behind us', (t) => {
  const asked = connection('m', 1, ['nsc', 'c'], ['mgr', 'm'], ['fwd', 'f'], ['nse', 'e']);
  const { connection: here } = locate(asked, 'fwd', counted());
  t.deepEqual(names(here), ['nsc=c', 'mgr=m', 'fwd=f', 'nse=e']);
  t.is(here.id, 'f');
});

test('a forwarder of another name takes over the segment under a new id', (t) => {
  const asked = connection('m', 1, ['nsc', 'c'], ['mgr', 'm'], ['old', 'o'], ['nse', 'e']);
  const { connection: here } = locate(asked, 'fwd', counted());
  t.deepEqual(names(here), ['nsc=c', 'mgr=m', 'fwd=new-1', 'nse=e']);
});

test('our client half does not move on', (t) => {
  const own = connection('f', 2, ['nsc', 'c'], ['mgr', 'm'], ['fwd', 'f']);
  t.deepEqual(locate(own, 'fwd', counted()).connection, own);
});

test('the answer carries the id and index of the caller', (t) => {
  const { connection: here, caller } = locate(connection('m', 1, ['nsc', 'c'], ['mgr', 'm']), 'fwd', counted());
  const answer = asCallerSees(here, caller);
  t.is(answer.id, 'm');
  t.is(answer.path?.index, 1);
  t.is(answer.path?.pathSegments.length, 3);
});

test('without an onward connection the segments behind us go', (t) => {
  const here = connection('f', 1, ['nsc', 'c'], ['fwd', 'f'], ['nse', 'e']);
  t.deepEqual(names(trimmed(here)), ['nsc=c', 'fwd=f']);
});

for (const [title, asked] of [
  ['an index beyond the segments', connection('m', 7, ['nsc', 'c'], ['mgr', 'm'])],
  ['an id that is not that of the current segment', connection('x', 1, ['nsc', 'c'], ['mgr', 'm'])],
  ['more segments than any mesh has', connection('m', 0, ...Array(65).fill(['mgr', 'm'] as [string, string]))],
] as const)
  test(`${title} is refused`, (t) => {
    t.like(
      t.throws(() => locate(asked, 'fwd')),
      { code: 'CONNECTION_PATH' },
    );
  });

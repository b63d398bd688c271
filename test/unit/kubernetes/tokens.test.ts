// SPDX-License-Identifier: Apache-2.0

import test from 'ava';
import { isToken, TokenPool } from '../../../src/kubernetes/tokens.ts';

const fast = 'worker.domain/10G';
const intel = 'worker.domain/intel';
const other = 'other.domain/10G';
const first = '0000:01:00.0';
const second = '0000:02:00.0';

const poolOf = () =>
  new TokenPool([
    { pci: first, resources: [fast, intel], virtualFunctions: 2 },
    { pci: second, resources: [fast, other], virtualFunctions: 1 },
  ]);

const healthy = (pool: TokenPool, resource: string) => pool.tokens(resource).filter((one) => one.healthy).length;
const idOf = (pool: TokenPool, resource: string, at = 0) => pool.tokens(resource)[at]?.id ?? '';

test('a resource has a token for each VF of every function that offers it', (t) => {
  const pool = poolOf();
  t.deepEqual(pool.resources, [fast, intel, other]);
  t.deepEqual(
    [fast, intel, other].map((one) => healthy(pool, one)),
    [3, 2, 1],
  );
  t.true(pool.tokens(fast).every(({ id }) => isToken(id)));
});

test('the ids are the same at every start, and differ from each other', (t) => {
  const ids = (pool: TokenPool) => pool.resources.flatMap((one) => pool.tokens(one).map(({ id }) => id));
  t.deepEqual(ids(poolOf()), ids(poolOf()));
  t.is(new Set(ids(poolOf())).size, 6);
});

test('a VF in use for a token closes one token of each other resource of its function', (t) => {
  const pool = poolOf();
  const token = idOf(pool, fast);
  pool.setUses([{ pci: '0000:01:10.0', physicalFunction: first, token }]);
  t.deepEqual(
    [fast, intel, other].map((one) => healthy(pool, one)),
    [3, 1, 1],
  );
  pool.setUses([]);
  t.deepEqual(
    [fast, intel, other].map((one) => healthy(pool, one)),
    [3, 2, 1],
  );
});

test('a VF taken without a token closes one of every resource of its function', (t) => {
  const pool = poolOf();
  pool.setUses([{ pci: '0000:02:10.0', physicalFunction: second }]);
  t.deepEqual(
    [fast, intel, other].map((one) => healthy(pool, one)),
    [2, 2, 0],
  );
});

test('a token that kubelet gave away is the last to be closed', (t) => {
  const pool = poolOf();
  const given = idOf(pool, intel);
  pool.allocate([given]);
  pool.setUses([{ pci: '0000:01:10.0', physicalFunction: first, token: idOf(pool, fast) }]);
  t.is(pool.resourceOf(given), intel);
  pool.setUses([
    { pci: '0000:01:10.0', physicalFunction: first, token: idOf(pool, fast) },
    { pci: '0000:01:10.2', physicalFunction: first, token: idOf(pool, fast, 1) },
  ]);
  t.throws(() => pool.resourceOf(given), { code: 'TOKEN_UNUSABLE', message: /0000:01:10\.2/ });
});

test('the token of a VF changes with the wire that has it', (t) => {
  const pool = poolOf();
  pool.setUses([{ pci: '0000:01:10.0', physicalFunction: first, token: idOf(pool, fast) }]);
  pool.setUses([{ pci: '0000:01:10.0', physicalFunction: first, token: idOf(pool, intel) }]);
  t.deepEqual(
    [fast, intel].map((one) => healthy(pool, one)),
    [2, 2],
  );
});

test('a token that nobody knows, or one of them, is refused and nothing allocated', (t) => {
  const pool = poolOf();
  t.throws(() => pool.allocate([idOf(pool, fast), 'sriov-0']), { code: 'TOKEN_UNUSABLE' });
  t.deepEqual(pool.allocated(fast), []);
  t.throws(() => pool.resourceOf('sriov-0'), { code: 'TOKEN_UNUSABLE' });
});

test('ids that another forwarder gave out take the place of free ones', (t) => {
  const pool = poolOf();
  const id = 'sriov-01234567-89ab-4def-8123-456789abcdef';
  pool.restore(fast, [id, 'no token', idOf(pool, intel)]);
  t.is(pool.resourceOf(id), fast);
  t.is(pool.tokens(fast).length, 3);
  t.deepEqual(pool.allocated(fast), [id]);
});

test('listeners hear of changes only, until they go', (t) => {
  const pool = poolOf();
  let heard = 0;
  const stop = pool.onChange(() => (heard += 1));
  const uses = [{ pci: '0000:01:10.0', physicalFunction: first }];
  pool.setUses(uses);
  pool.setUses(uses);
  t.is(heard, 1);
  stop();
  pool.setUses([]);
  t.is(heard, 1);
});

// SPDX-License-Identifier: Apache-2.0

import test from 'ava';
import { Serializer } from '../../../../src/nsm/chain/serialize.ts';

test('serialize: one call at a time for a key, in order, past failures; other keys do not wait', async (t) => {
  const serializer = new Serializer();
  const order: string[] = [];
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  const first = serializer.run('a', async () => {
    await gate;
    order.push('first');
    throw new Error('failed');
  });
  const second = serializer.run('a', async () => order.push('second'));
  await serializer.run('b', async () => order.push('other'));
  open();
  await t.throwsAsync(first, { message: 'failed' });
  await second;
  t.deepEqual(order, ['other', 'first', 'second']);
});

test('serialize: a queue has a limit, and room again afterwards', async (t) => {
  const serializer = new Serializer();
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  const waiting = Array.from({ length: 16 }, () => serializer.run('a', () => gate));
  await t.throwsAsync(
    serializer.run('a', async () => {}),
    { code: 'TOO_MANY_CALLS' },
  );
  await t.notThrowsAsync(serializer.run('b', async () => {}));
  open();
  await Promise.all(waiting);
  await t.notThrowsAsync(serializer.run('a', async () => {}));
});

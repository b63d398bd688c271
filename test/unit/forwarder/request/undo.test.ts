// SPDX-License-Identifier: Apache-2.0

import test from 'ava';
import { Undo } from '../../../../src/forwarder/request/undo.ts';

test('undo: the last step first, one after the other, past failures, and each once', async (t) => {
  const undone: string[] = [];
  const undo = new Undo();
  undo.push(() => void undone.push('first'));
  undo.push(() => {
    throw new Error('failed at once');
  });
  undo.push(() => Promise.reject(new Error('failed')));
  undo.push(async () => {
    await new Promise((resolve) => setImmediate(resolve));
    undone.push('last');
  });
  await undo.run();
  t.deepEqual(undone, ['last', 'first']);
  await undo.run();
  t.deepEqual(undone, ['last', 'first']);
});

// SPDX-License-Identifier: Apache-2.0

import test from 'ava';
import { Timeouts } from '../../../../src/nsm/chain/timeout.ts';

test('timeout: the last time that was armed counts, and none after disarming or stopping', async (t) => {
  const expired: string[] = [];
  const { promise: done, resolve } = Promise.withResolvers<void>();
  const timeouts = new Timeouts((id) => {
    expired.push(id);
    if (id === 'last') resolve();
  });
  timeouts.arm('armed anew', 0);
  timeouts.arm('armed anew', 100_000);
  timeouts.arm('disarmed', 0);
  timeouts.disarm('disarmed');
  timeouts.disarm('never armed');
  timeouts.arm('in the past', -5);
  timeouts.arm('in a century', 100 * 365 * 86_400_000);
  timeouts.arm('last', 5);
  const awake = setInterval(() => {}, 1_000);
  t.teardown(() => clearInterval(awake));
  await done;
  t.deepEqual(expired, ['in the past', 'last']);
  timeouts.arm('stopped', 0);
  timeouts.stop();
  await new Promise((turn) => setTimeout(turn, 20));
  t.deepEqual(expired, ['in the past', 'last']);
});

// SPDX-License-Identifier: Apache-2.0
// Pings that cannot be sent report the reason and that trying again makes no sense. test/system/nsm-mesh.test.ts sends pings
// through a wire.

import test from 'ava';
import { startPings } from '../../../src/machine/pings.ts';

const way = { netns: '/run/netns/not-there', from: '127.0.0.1', to: '127.0.0.1', intervalMilliseconds: 100 };

function ended(): Promise<{ reason: string; possible: boolean }> {
  return new Promise((resolve, reject) => {
    const onAnswer = () => reject(new Error('answered'));
    startPings(way, { onAnswer, onEnd: (reason, possible) => resolve({ reason, possible }) });
  });
}

test.serial('a namespace that is not there', async (t) => {
  const { reason, possible } = await ended();
  t.regex(reason, /nsenter: .*not-there/);
  t.false(possible);
});

test.serial('a machine without nsenter', async (t) => {
  const path = process.env['PATH'];
  process.env['PATH'] = '/nowhere';
  t.teardown(() => {
    process.env['PATH'] = path;
  });
  const { reason, possible } = await ended();
  t.regex(reason, /ENOENT/);
  t.false(possible);
});

test.serial('stopped: nothing is told any more', async (t) => {
  const told: string[] = [];
  const stop = startPings(way, { onAnswer: () => told.push('answer'), onEnd: (reason) => told.push(reason) });
  stop();
  await ended(); // another one, begun later, has ended
  t.deepEqual(told, []);
});

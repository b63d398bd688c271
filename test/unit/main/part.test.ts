// SPDX-License-Identifier: Apache-2.0
// The parts of a program: what was started is stopped, in reverse, whatever fails.

import test from 'ava';
import { pino } from 'pino';
import { LazyPart, type Part, Parts } from '../../../src/main/part.ts';

const silent = pino({ level: 'silent' });

function traced(events: string[], name: string, failing: 'start' | 'stop' | '' = ''): Part {
  const step = (verb: 'start' | 'stop') => async () => {
    events.push(`${verb} ${name}`);
    if (verb === failing) throw new Error(`${name} does not ${verb}`);
  };
  return { start: step('start'), stop: step('stop') };
}

test('parts start in order and stop in reverse, once', async (t) => {
  const events: string[] = [];
  const parts = new Parts([traced(events, 'a'), traced(events, 'b')], silent);
  await parts.start();
  await parts.stop();
  await parts.stop();
  t.deepEqual(events, ['start a', 'start b', 'stop b', 'stop a']);
});

test('a part that fails to start is stopped with those before it, and none after it is touched', async (t) => {
  const events: string[] = [];
  const parts = new Parts([traced(events, 'a'), traced(events, 'b', 'start'), traced(events, 'c')], silent);
  await t.throwsAsync(parts.start(), { message: 'b does not start' });
  await parts.stop();
  t.deepEqual(events, ['start a', 'start b', 'stop b', 'stop a']);
});

test('a part that fails to stop keeps no other from stopping, and is logged', async (t) => {
  const events: string[] = [];
  const lines: string[] = [];
  const log = pino({}, { write: (line) => void lines.push(line) });
  const parts = new Parts([traced(events, 'a'), traced(events, 'b', 'stop')], log);
  await parts.start();
  await parts.stop();
  t.deepEqual(events, ['start a', 'start b', 'stop b', 'stop a']);
  t.is(lines.length, 1);
});

test('a lazy part is loaded when it starts, and stops what it loaded', async (t) => {
  const events: string[] = [];
  const lazy = new LazyPart(async () => {
    events.push('load');
    return traced(events, 'a');
  });
  await lazy.stop();
  t.deepEqual(events, []);
  await lazy.start();
  await lazy.stop();
  t.deepEqual(events, ['load', 'start a', 'stop a']);
});

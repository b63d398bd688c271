// SPDX-License-Identifier: Apache-2.0
// Commands of stages: their output, and their end when they do not end by themselves.

import test from 'ava';
import { Command } from '../../../scripts/lib/tests/command.ts';
import type { Stage } from '../../../scripts/lib/tests/stage.ts';

function stage(script: string, limitMinutes = 1): Stage {
  const environment = { WORD: 'its own' };
  const command = ['sh', '-c', script];
  return {
    name: 'a',
    title: 'a stage',
    part: 'a',
    tiers: [],
    kind: 'waits',
    after: [],
    command,
    environment,
    limitMinutes,
  };
}

test('output of both streams, the last line and the exit code', async (t) => {
  const shown: string[] = [];
  const command = new Command(stage('echo one; echo "$WORD" >&2; exit 3'), process.env, (chunk) => shown.push(chunk));
  const { code, output } = await command.ended();
  t.is(code, 3);
  t.deepEqual(output.split('\n').toSorted(), ['', 'its own', 'one']);
  t.is(shown.join(''), output);
  t.true(['one', 'its own'].includes(command.lastLine));
});

test('a program that there is not: a failure with the reason', async (t) => {
  const { code, output } = await new Command({ ...stage(''), command: ['crosswire-no-such'] }, process.env).ended();
  t.is(code, null);
  t.regex(output, /crosswire-no-such.*ENOENT/);
});

test('over its time: told to end by SIGINT, with the list of processes', async (t) => {
  const waiting = stage('trap "echo told; exit 4" INT; while :; do sleep 0.05; done', 0.01);
  const { code, output } = await new Command(waiting, process.env).ended();
  t.is(code, 4);
  t.regex(output, /a stage had not ended after 0.01 minutes/);
  t.regex(output, /sleep 0\.05|trap/);
  t.regex(output, /told\n$/);
});

test('interrupted: the whole group ends', async (t) => {
  const command = new Command(stage('sleep 60; echo not reached'), process.env);
  setTimeout(() => command.interrupt(), 200);
  const { code, seconds } = await command.ended();
  t.not(code, 0);
  t.true(seconds < 20);
});

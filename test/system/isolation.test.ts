// SPDX-License-Identifier: Apache-2.0
// Fifty wires at once, each with distinct frames: no frame appears on another wire.
//   a:n<i> ── kernel–kernel ── b:n<i>                                  for most i
//   a:n<i> ── kernel–memif ── memif–kernel ── b:n<i>                   for every fifth: both memif roles are ours

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import test from 'ava';
import { Daemon } from '../support/daemon.ts';
import { Namespace } from '../support/namespace.ts';
import { testWith } from '../support/requires.ts';
import { Background, eventually } from '../support/shell.ts';
import { kernelEnd, memifEnd, type WireSpec, wireFile } from '../support/wires.ts';

const frameTool = resolve('build/native-tools/frame_tool');
const paths = 42; // 34 of one wire and 8 of two: 50 wires
const each = 400; // frames

let directory: string;
let daemon: Daemon;
let a: Namespace;
let b: Namespace;
test.afterEach.always(async () => {
  await daemon?.destroy();
  for (const namespace of [a, b]) await namespace?.remove();
  await rm(directory, { recursive: true, force: true });
});

testWith(['root', 'tun'], 'no frame of one wire is seen on another of fifty', async (t) => {
  directory = await mkdtemp(join(tmpdir(), 'cwt-isolation-'));
  [a, b] = [await Namespace.make('a'), await Namespace.make('b')];
  daemon = await Daemon.start();
  const socket = join(directory, 'memif.sock');
  const wires: WireSpec[] = [];
  for (let i = 0; i < paths; i++) {
    if (i % 5 === 0 && i < 40) {
      wires.push({ name: `left${i}`, client: kernelEnd(a, `n${i}`), endpoint: memifEnd(socket, 'server', i) });
      wires.push({ name: `right${i}`, client: memifEnd(socket, 'client', i), endpoint: kernelEnd(b, `n${i}`) });
    } else {
      wires.push({ name: `direct${i}`, client: kernelEnd(a, `n${i}`), endpoint: kernelEnd(b, `n${i}`) });
    }
  }
  t.is(wires.length, 50);
  await daemon.mustApply(wireFile(...wires));
  await eventually('every wire is up', async () => {
    const all = JSON.parse((await daemon.cli('get', 'wires', '-o', 'json')).stdout) as { phase: string }[];
    return all.every((wire) => wire.phase === 'up');
  });

  const tagged = Array.from({ length: paths }, (_, i) => `n${i}=${1000 + i}`);
  const watch = new Background(...b.inside(frameTool, 'watch', '1500', ...tagged));
  await watch.says('ready');
  await a.run(frameTool, 'flood', String(each), '200', ...tagged);
  t.is(await watch.ended(), 0);
  type Seen = { interface: string; own: number; foreign: number; disorder: number; missed: number };
  const seen = JSON.parse(watch.output.slice(watch.output.indexOf('['))) as Seen[];
  t.is(seen.length, paths);
  for (const { interface: name, own, foreign, disorder, missed } of seen) {
    t.is(foreign, 0, `${name}: frames of another wire`);
    t.is(disorder, 0, `${name}: out of order`);
    t.is(missed, 0, `${name}: missed by the test itself`);
    t.true(own > 0 && own <= each, `${name}: ${own} of its own frames`);
  }
});

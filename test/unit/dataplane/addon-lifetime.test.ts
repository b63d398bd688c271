// SPDX-License-Identifier: Apache-2.0
// Environments that end in every way while an engine runs: threads stop before objects die, and nobody hangs. Wires
// are between memif sockets: no privileges needed.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { Worker } from 'node:worker_threads';
import test from 'ava';
import { NativeDataplane } from '../../../src/dataplane/dataplane.ts';
import { MemifRequests } from '../../support/memif-requests.ts';

const requests = new MemifRequests();
test.after.always(() => requests.remove());

const facade = new URL('../../../src/dataplane/dataplane.ts', import.meta.url).href;
/** A program with an engine and two connected wires. */
const program = (body: string) => `
  const { NativeDataplane } = await import(${JSON.stringify(facade)});
  const dataplane = new NativeDataplane();
  const requests = ${JSON.stringify(requests.pair())};
  await dataplane.start({ workers: 2 });
  const ids = await Promise.all(requests.map((request) => dataplane.startWire(request)));
  const up = () => ids.every((id) => Object.values(dataplane.describeWire(id)).every((end) => end.up));
  while (!up()) await new Promise((resolve) => setImmediate(resolve));
  ${body}`;

async function run(body: string, options: readonly string[] = []) {
  const child = spawn(process.execPath, [...options, '--input-type=module', '-e', program(body)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
    killSignal: 'SIGKILL',
  });
  const [stdout, stderr, [code, signal]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null, string | null]>,
  ]);
  return { stdout, stderr, code, signal };
}

const workerThreads = () =>
  readdirSync('/proc/self/task').filter((task) => {
    try {
      return readFileSync(`/proc/self/task/${task}/comm`, 'utf8').startsWith('cw-worker-');
    } catch {
      return false; // it ended meanwhile
    }
  }).length;

test.serial('a running engine does not keep the process alive', async (t) => {
  t.like(await run(''), { code: 0, signal: null, stderr: '' });
});

test.serial('process.exit() with wires up', async (t) => {
  t.like(await run('process.exit(3);'), { code: 3, signal: null, stderr: '' });
});

test.serial('process.exit() in the middle of changes', async (t) => {
  const body = `
    for (const id of ids) dataplane.stopWire(id);
    for (const request of requests) dataplane.startWire(request).catch(() => {});
    setImmediate(() => process.exit(4));`;
  for (let round = 0; round < 5; round++) t.like(await run(body), { code: 4, signal: null, stderr: '' });
});

test.serial('an uncaught error', async (t) => {
  const { code, signal, stderr } = await run(`setImmediate(() => { throw new Error('on purpose'); });`);
  t.deepEqual({ code, signal }, { code: 1, signal: null });
  t.regex(stderr, /on purpose/);
});

test.serial('SIGTERM, with and without a handler', async (t) => {
  t.like(await run(`process.kill(process.pid, 'SIGTERM'); await new Promise(() => setInterval(() => {}, 1000));`), {
    code: null,
    signal: 'SIGTERM',
  });
  const graceful = `
    const asked = new Promise((resolve) => process.once('SIGTERM', resolve));
    const alive = setInterval(() => {}, 1000);
    process.kill(process.pid, 'SIGTERM');
    await asked;
    await dataplane.close();
    clearInterval(alive);
    console.log('closed');`;
  t.like(await run(graceful), { code: 0, signal: null, stdout: 'closed\n', stderr: '' });
});

test.serial('an engine that is garbage collected stops its threads', async (t) => {
  const body = `
    const { readdirSync, readFileSync } = await import('node:fs');
    const threads = () => readdirSync('/proc/self/task')
      .filter((task) => readFileSync('/proc/self/task/' + task + '/comm', 'utf8').startsWith('cw-worker-')).length;
    await (async () => { const other = new NativeDataplane(); await other.start({ workers: 3 }); })();
    const before = threads();
    while (threads() > 2) { gc(); await new Promise((resolve) => setImmediate(resolve)); }
    console.log(before, threads(), up());`;
  t.like(await run(body, ['--expose-gc']), { code: 0, stdout: '5 2 true\n', stderr: '' });
});

test.serial('worker threads have engines of their own beside the main one, and may be terminated', async (t) => {
  const main = new NativeDataplane();
  await main.start();
  const ids = await Promise.all(requests.pair().map((request) => main.startWire(request)));
  const before = workerThreads();
  for (let round = 0; round < 5; round++) {
    const workers = [1, 2].map(
      () =>
        new Worker(
          `import('node:worker_threads').then(async ({ parentPort }) => {
            ${program(`parentPort.postMessage(ids); await new Promise(() => setInterval(() => {}, 1000));`)} })`,
          { eval: true },
        ),
    );
    const theirs = await Promise.all(workers.map(async (worker) => (await once(worker, 'message'))[0] as number[]));
    t.is(new Set([...ids, ...theirs.flat()]).size, ids.length + 4, 'ids are unique in the process');
    t.is(workerThreads(), before + 4);
    await Promise.all(workers.map((worker) => worker.terminate()));
    t.is(workerThreads(), before);
  }
  t.is(main.readCounters().ids.length, 2);
  await main.close();
  t.is(workerThreads(), before - 1);
});

test.serial('close() is for good and may be repeated', async (t) => {
  const dataplane = new NativeDataplane();
  await dataplane.close();
  const [request] = requests.pair();
  await t.throwsAsync(dataplane.startWire(request), { code: 'ENGINE_STOPPED' });
  t.throws(() => dataplane.describeWire(1), { code: 'ENGINE_STOPPED' });
  t.deepEqual(dataplane.workerStatistics(), []);

  await dataplane.start();
  await t.throwsAsync(dataplane.start(), { code: 'ENGINE_STARTED' });
  const id = await dataplane.startWire(request);
  t.is(workerThreads(), 1);
  await Promise.all([dataplane.close(), dataplane.close()]);
  await dataplane.close();
  t.is(workerThreads(), 0);
  t.deepEqual(dataplane.readCounters().ids, []);
  t.throws(() => dataplane.describeWire(id), { code: 'WIRE_MISSING' });
  await t.throwsAsync(dataplane.start(), { code: 'ENGINE_STOPPED' });
  await t.throwsAsync(dataplane.stopWire(id), { code: 'ENGINE_STOPPED' });
});

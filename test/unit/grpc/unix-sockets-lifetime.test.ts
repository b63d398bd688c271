// SPDX-License-Identifier: Apache-2.0
// Node environments that end while sockets are open: the thread stops before its objects are destroyed, and nothing hangs.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';

const directory = mkdtempSync(join(tmpdir(), 'crosswire-lifetime-'));
test.after.always(() => rmSync(directory, { recursive: true, force: true }));

const facade = new URL('../../../src/dataplane/unix-sockets.ts', import.meta.url).href;
let count = 0;

/** Both ends of a busy connection, with a descriptor in flight. */
function run(body: string) {
  const path = JSON.stringify(join(directory, `${++count}.sock`));
  const program = `
    const { NativeUnixSockets } = await import(${JSON.stringify(facade)});
    const sockets = new NativeUnixSockets();
    const forever = new AbortController().signal;
    const taken = Promise.withResolvers();
    await sockets.listen(${path}, taken.resolve);
    const dialled = await sockets.dial(${path}, forever);
    const accepted = await taken.promise;
    accepted.socket.on('data', () => accepted.socket.write('more'));
    dialled.socket.on('data', () => dialled.socket.write('more'));
    await dialled.send('/proc/self/ns/net');
    dialled.socket.write('more');
    ${body}`;
  const options = ['--input-type=module', '-e', program];
  const { status, signal, stderr, stdout } = spawnSync(process.execPath, options, {
    timeout: 60_000,
    encoding: 'utf8',
  });
  return { status, signal, stderr, stdout };
}

test('process.exit() in the middle of traffic', (t) => {
  for (let round = 0; round < 3; round++)
    t.deepEqual(run('setImmediate(() => process.exit(3));'), { status: 3, signal: null, stderr: '', stdout: '' });
});

test('close() ends every connection, so the process ends by itself', (t) => {
  const body = `accepted.socket.on('close', () => console.log('closed'));
    await sockets.close();
    await sockets.close();`;
  t.deepEqual(run(body), { status: 0, signal: null, stderr: '', stdout: 'closed\n' });
});

test('a worker that is terminated takes its sockets along', (t) => {
  const path = JSON.stringify(join(directory, 'worker.sock'));
  const worker = `import('node:worker_threads').then(async ({ parentPort }) => {
    const { NativeUnixSockets } = await import(${JSON.stringify(facade)});
    const sockets = new NativeUnixSockets();
    await sockets.listen(${path}, ({ socket }) => socket.resume());
    const { socket } = await sockets.dial(${path}, new AbortController().signal);
    socket.write('hello');
    parentPort.postMessage('ready');
  })`;
  const body = `
    const { Worker } = await import('node:worker_threads');
    for (let round = 0; round < 3; round++) {
      const worker = new Worker(${JSON.stringify(worker)}, { eval: true });
      await new Promise((resolve) => worker.once('message', resolve));
      await worker.terminate();
    }
    process.exit(4);`;
  t.deepEqual(run(body), { status: 4, signal: null, stderr: '', stdout: '' });
});

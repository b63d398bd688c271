// SPDX-License-Identifier: Apache-2.0
// After kill -9 at any moment, the next start adopts or removes everything; SIGTERM keeps wires, --remove-on-exit
// removes them; a thousand cycles leave nothing behind.

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { Daemon } from '../support/daemon.ts';
import { Namespace } from '../support/namespace.ts';
import { testWith } from '../support/requires.ts';
import { type Background, eventually } from '../support/shell.ts';
import { kernelEnd, memifEnd, type WireSpec, wireFile } from '../support/wires.ts';

let daemon: Daemon;
let a: Namespace;
let b: Namespace;

test.beforeEach(async () => {
  [a, b] = [await Namespace.make('a'), await Namespace.make('b')];
});
test.afterEach.always(async () => {
  await daemon?.destroy();
  for (const namespace of [a, b]) await namespace?.remove();
});

function wires(count: number): WireSpec[] {
  return Array.from({ length: count }, (_, i) => {
    const client = kernelEnd(a, `n${i}`, { addresses: [`10.82.${i}.1/24`] });
    if (i % 3 !== 2)
      return { name: `w${i}`, client, endpoint: kernelEnd(b, `n${i}`, { addresses: [`10.82.${i}.2/24`] }) };
    return { name: `w${i}`, client, endpoint: memifEnd(join(daemon.directory, 'memif.sock'), 'server', i) };
  });
}

async function names(): Promise<string[]> {
  const { stdout } = await daemon.cli('get', 'wires', '-o', 'json');
  return (JSON.parse(stdout) as { name: string }[]).map((wire) => wire.name).toSorted();
}

/** Checks that the interfaces in both namespaces are exactly those that the daemon's wires claim. */
async function nothingElse(): Promise<void> {
  await eventually('namespaces hold exactly the wires', async () => {
    const claimed = (await names()).map((name) => `n${name.slice(1)}`).toSorted();
    const kernel = claimed.filter((name) => Number(name.slice(1)) % 3 !== 2);
    const [inA, inB] = [(await a.interfaces()).toSorted(), (await b.interfaces()).toSorted()];
    if (inA.join() !== claimed.join() || inB.join() !== kernel.join())
      throw new Error(`${inA.join()} | ${inB.join()} ≠ ${claimed.join()}`);
    return true;
  });
}

testWith(
  ['root', 'tun'],
  'killed at 25 moments of making, changing and removing wires: the next start leaves no orphan',
  async (t) => {
    daemon = await Daemon.start();
    for (let round = 0; round < 25; round++) {
      const batch = wires(6).filter((_, index) => (index + round) % 4 !== 0);
      const removed = (await names()).filter((_, index) => index % 2 === round % 2);
      const busy = [daemon.apply(wireFile(...batch))];
      if (removed.length > 0) busy.push(daemon.cli('delete', ...removed));
      await new Promise((resolve) => setTimeout(resolve, 4 * round));
      await daemon.stop('SIGKILL');
      await Promise.allSettled(busy);
      await daemon.launch();
      await nothingElse();
    }
    await daemon.mustApply(wireFile(...wires(6)));
    t.is((await names()).length, 6);
    await nothingElse();
  },
);

testWith(
  ['root', 'tun'],
  'SIGTERM keeps wires, the next start adopts them; --remove-on-exit takes them away',
  async (t) => {
    daemon = await Daemon.start();
    await daemon.mustApply(wireFile(...wires(3)));
    const before = await a.run('ip', '-o', 'link', 'show', 'n0');
    await daemon.stop('SIGTERM');
    t.deepEqual((await a.interfaces()).toSorted(), ['n0', 'n1', 'n2']);
    await daemon.launch();
    await nothingElse();
    t.is(await a.run('ip', '-o', 'link', 'show', 'n0'), before, 'the same interface, not a new one');
    await daemon.stop('SIGTERM');
    daemon.extra.push('--remove-on-exit');
    await daemon.launch();
    await daemon.stop('SIGTERM');
    t.deepEqual(await a.interfaces(), []);
    t.deepEqual(await b.interfaces(), []);
  },
);

testWith(
  ['root'],
  'SIGUSR1 and SIGUSR2 change the log level; the first opens no debugger, the second ends nothing',
  async (t) => {
    daemon = await Daemon.start('--log-level', 'info');
    const process = daemon.process as Background;
    const said = async (signal: NodeJS.Signals, level: string) => {
      process.child.kill(signal);
      await process.says(new RegExp(`"signal":"${signal}","level":"${level}"`));
    };
    await said('SIGUSR1', 'trace');
    await said('SIGUSR2', 'info');
    t.notRegex(process.output, /Debugger/);
    t.is((await daemon.cli('get', 'wires')).code, 0);
  },
);

testWith(['root', 'tun'], 'what somebody else broke is repaired at the next start', async (t) => {
  daemon = await Daemon.start();
  await daemon.mustApply(wireFile(...wires(3)));
  await daemon.stop('SIGKILL');
  await a.run('ip', 'link', 'delete', 'n0');
  await a.run('ip', 'address', 'flush', 'dev', 'n1');
  await daemon.launch();
  await nothingElse();
  await eventually('addresses are back', async () => {
    await a.run('ping', '-q', '-c', '1', '-W', '1', '10.82.0.2');
    await a.run('ping', '-q', '-c', '1', '-W', '1', '10.82.1.2');
    return true;
  });
  t.pass();
});

testWith(
  ['root', 'tun'],
  '1,000 connect and remove cycles leave descriptors, memory maps and interfaces as they were',
  async (t) => {
    daemon = await Daemon.start();
    const proc = `/proc/${daemon.process?.child.pid}`;
    const count = async () => ({
      descriptors: (await readdir(`${proc}/fd`)).length,
      // Only maps of files and shared memory count: V8's heap grows and shrinks in anonymous maps.
      maps: (await readFile(`${proc}/maps`, 'utf8')).split('\n').filter((line) => /memfd|\/dev\/|anon_inode/.test(line))
        .length,
      threads: (await readdir(`${proc}/task`)).length,
      interfaces: [...(await a.interfaces()), ...(await b.interfaces())].length,
    });
    const api = async (method: string, path: string, body?: unknown) => {
      const { request } = await import('node:http');
      return new Promise<number>((resolve, reject) => {
        const text = body === undefined ? '' : JSON.stringify(body);
        const headers = text ? { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) } : {};
        const call = request({ socketPath: daemon.control, method, path, headers }, (response) => {
          response.resume();
          response.on('end', () => resolve(response.statusCode as number));
        });
        call.on('error', reject);
        call.end(text);
      });
    };
    const specs = wires(4);
    const { parseAllDocuments } = await import('yaml');
    const documents = specs.map((spec) => parseAllDocuments(wireFile(spec))[0]?.toJS() as unknown);
    const cycle = async () => {
      t.is(await api('PUT', '/v1/wires', { wires: documents }), 200);
      for (const { name } of specs) t.is(await api('DELETE', `/v1/wires/${name}`), 200);
    };
    for (let warm = 0; warm < 5; warm++) await cycle();
    await new Promise((resolve) => setTimeout(resolve, 500));
    const before = await count();
    for (let round = 0; round < 250; round++) await cycle(); // of four wires each
    await eventually('everything is as before', async () => {
      const after = await count();
      // Fewer is fine too: `before` may include a keep-alive connection of this test.
      const more = (Object.keys(before) as (keyof typeof before)[]).filter((key) => after[key] > before[key]);
      if (more.length > 0) throw new Error(`more ${more.join()}: ${JSON.stringify(before)} → ${JSON.stringify(after)}`);
      return true;
    });
    t.pass();
  },
);

// SPDX-License-Identifier: Apache-2.0
// The boundary itself: arguments that are wrong, and environments that die while the addon works.

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import test from 'ava';
import { CrosswireError } from '../../../src/model/error.ts';
import { loadAddon } from '../../../src/dataplane/loader.ts';

const addonPath = fileURLToPath(new URL('../../../build/Release/crosswire.node', import.meta.url));
const load = `const addon = require(${JSON.stringify(addonPath)});`;
const node = async (script: string) =>
  promisify(execFile)(process.execPath, ['-e', load + script], { timeout: 60_000 });

test('arguments of the wrong kind are refused by the path of the field', (t) => {
  const addon = loadAddon() as unknown as Record<string, (...all: unknown[]) => unknown>;
  const refused = (method: string, subject: string, ...all: unknown[]) => {
    const error = t.throws(() => addon[method]!(...all), { instanceOf: CrosswireError }, method);
    t.is(error?.code, 'INVALID_ARGUMENT');
    t.is(error?.subject, subject);
  };
  const change = { netns: '', name: 'x', alias: 'y' };
  refused('changeInterface', 'argument');
  refused('changeInterface', 'netns', {});
  refused('changeInterface', 'name', { ...change, name: 'a\0b' });
  refused('changeInterface', 'mtu', { ...change, mtu: '1500' });
  refused('changeInterface', 'mtu', { ...change, mtu: 1.5 });
  refused('changeInterface', 'mtu', { ...change, mtu: Number.NaN });
  refused('changeInterface', 'mac', { ...change, mac: '02:00:00:00:00' });
  refused('changeInterface', 'up', { ...change, up: 1 });
  refused('changeInterface', 'addAddresses', { ...change, addAddresses: ['10.0.0.1/33'] });
  refused('changeInterface', 'addRoutes', { ...change, addRoutes: {} });
  refused('changeInterface', 'addRoutes[1].to', { ...change, addRoutes: [{ to: '::/0' }, {}] });
  refused('changeInterface', 'addRoutes[0].via', { ...change, addRoutes: [{ to: '::/0', via: '10.0.0.1' }] });
  refused('readStatistics', 'argument', {});
  refused('readStatistics', '[1]', [{ netns: '', name: 'lo' }, null]);
  refused('deleteInterface', 'argument 3', '', 'x');
  refused('setErrorClass', 'first argument', {});
});

test('an idle addon does not keep the process alive, work under way does', async (t) => {
  t.is((await node('')).stdout, '');
  const chain = `addon.probe().then(() => addon.listNamespaces()).then((all) => console.log(all.length > 0));`;
  t.is((await node(chain)).stdout, 'true\n');
});

test("the probe agrees with what the kernel's files say of this process", async (t) => {
  const probe = await loadAddon().probe();
  t.is(probe.kernel, release());
  const effective = BigInt(`0x${/CapEff:\s+([0-9a-f]+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]}`);
  const bits = { CAP_NET_ADMIN: 12n, CAP_NET_RAW: 13n, CAP_IPC_LOCK: 14n, CAP_SYS_ADMIN: 21n };
  const expected = Object.entries(bits).filter(([, bit]) => (effective >> bit) & 1n);
  t.deepEqual(
    probe.capabilities,
    expected.map(([name]) => name),
  );
});

test('a process may end while jobs run and wait', async (t) => {
  const { stdout } = await node(`
    for (let i = 0; i < 200; i++) addon.probe();
    addon.listInterfaces({ netns: '', aliasPrefix: '' }).then(() => process.exit(0));`);
  t.is(stdout, '');
});

test('before the error class is there, failures are plain errors with the same fields', async (t) => {
  const { stdout } = await node(
    `addon.identifyNamespace('/nowhere').catch((e) => console.log(e instanceof Error, e.code, e.errno, e.message));`,
  );
  t.is(stdout, 'true NAMESPACE_MISSING 2 open network namespace (/nowhere): No such file or directory\n');
});

test('workers load the addon beside each other and may be terminated in the middle of a job', async (t) => {
  const script = `${load}
    const { parentPort } = require('node:worker_threads');
    addon.probe().then((probe) => parentPort.postMessage(probe.kernel));
    for (let i = 0; i < 50; i++) addon.probe();`;
  for (let round = 0; round < 5; round++) {
    const workers = [1, 2].map(() => new Worker(script, { eval: true }));
    const kernels = await Promise.all(workers.map(async (worker) => (await once(worker, 'message'))[0]));
    t.is(kernels[0], kernels[1]);
    t.deepEqual(await Promise.all(workers.map((worker) => worker.terminate())), [1, 1]);
  }
  t.is((await loadAddon().probe()).memfd, true);
});

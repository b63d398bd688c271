// SPDX-License-Identifier: Apache-2.0
// The metrics port and the liveness behind it.

import test, { type ExecutionContext } from 'ava';
import type { WorkerStatistics } from '../../../src/dataplane/types.ts';
import { MetricsServer, type MetricsServerSettings } from '../../../src/http/metrics-server.ts';
import { Liveness } from '../../../src/metrics/liveness.ts';

const alive = { alive: true, stuckWorkers: [], eventLoopLagMilliseconds: 0 };

async function start(t: ExecutionContext, more: Partial<MetricsServerSettings> = {}) {
  const errors: unknown[] = [];
  const server = new MetricsServer({
    host: '127.0.0.1',
    port: 0,
    render: async () => [Buffer.from('a 1\n'), Buffer.from('b 2\n')],
    alive: () => alive,
    ready: () => true,
    onInternalError: (error) => errors.push(error),
    ...more,
  });
  const { port } = await server.start();
  t.teardown(() => server.stop());
  return { errors, port, url: `http://127.0.0.1:${port}` };
}

test('/metrics joins the pieces and says which format they have', async (t) => {
  const { url } = await start(t);
  const response = await fetch(`${url}/metrics`);
  t.is(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  t.is(await response.text(), 'a 1\nb 2\n');
  t.is((await fetch(`${url}/metrics`, { method: 'HEAD' })).status, 200);
});

test('a scrape that fails is 500 and told to the log', async (t) => {
  const failed = new Error('gone');
  const { url, errors } = await start(t, { render: () => Promise.reject(failed) });
  t.is((await fetch(`${url}/metrics`)).status, 500);
  t.deepEqual(errors, [failed]);
});

test('/healthz and /readyz', async (t) => {
  let ready = false;
  let report = alive;
  const { url } = await start(t, { ready: () => ready, alive: () => report });
  t.is((await fetch(`${url}/readyz`)).status, 503);
  ready = true;
  t.is((await fetch(`${url}/readyz`)).status, 200);
  t.is((await fetch(`${url}/healthz`)).status, 200);
  report = { ...alive, alive: false };
  t.is((await fetch(`${url}/healthz`)).status, 503);
});

test('other paths and methods', async (t) => {
  const { url } = await start(t);
  t.is((await fetch(`${url}/`)).status, 404);
  t.is((await fetch(`${url}/metrics?x=1`)).status, 200);
  t.is((await fetch(`${url}/metrics`, { method: 'POST' })).status, 405);
});

test('an address in use is an error that says so', async (t) => {
  const { port } = await start(t);
  const second = new MetricsServer({
    host: '127.0.0.1',
    port,
    render: async () => [],
    alive: () => alive,
    ready: () => true,
    onInternalError: () => {},
  });
  await t.throwsAsync(second.start(), { code: 'METRICS_ADDRESS_BUSY', message: new RegExp(`127.0.0.1:${port}`) });
});

const idle: WorkerStatistics = {
  worker: 0,
  busyNanoseconds: 5n,
  idleNanoseconds: 5n,
  wakeUps: 1n,
  bursts: 0n,
  frames: 0n,
  wires: 1,
  hotWires: 0,
  framesPerBurst: [],
};

test('a worker with hot wires that does not move is stuck; a sleeping one is alive', (t) => {
  let worker = idle;
  const liveness = new Liveness(() => [worker]);
  const after = (next: WorkerStatistics) => {
    worker = next;
    liveness.sample();
    return liveness.report().stuckWorkers;
  };
  t.deepEqual(after(idle), []);
  t.deepEqual(after(idle), [], 'asleep');
  t.deepEqual(after({ ...idle, hotWires: 1 }), [], 'just became hot');
  t.deepEqual(after({ ...idle, hotWires: 1 }), [0]);
  t.false(liveness.report().alive);
  t.deepEqual(after({ ...idle, hotWires: 1, busyNanoseconds: 6n }), [], 'it moves again');
});

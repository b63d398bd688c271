// SPDX-License-Identifier: Apache-2.0
// The trace context of calls, and spans at a collector that speaks OTLP over real gRPC.

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { Metadata } from '@grpc/grpc-js';
import test, { type ExecutionContext } from 'ava';
import { Spans } from '../../../src/grpc/tracing/spans.ts';
import { startTracing } from '../../../src/grpc/tracing/start.ts';
import { readTraceContext } from '../../../src/grpc/tracing/trace-context.ts';
import type { Tracing } from '../../../src/grpc/tracing/tracing.ts';
import { OtlpCollector } from '../../support/otlp-collector.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';
const parent = `00-${traceId}-${spanId}-01`;

function metadata(entries: Readonly<Record<string, string>> = {}): Metadata {
  const made = new Metadata();
  for (const [key, value] of Object.entries(entries)) made.set(key, value);
  return made;
}

function propagated(tracing: Tracing): Record<string, unknown> {
  const outgoing = new Metadata();
  tracing.propagate(outgoing);
  return outgoing.getMap();
}

async function collecting(t: ExecutionContext) {
  const collector = new OtlpCollector();
  const endpoint = await collector.start();
  t.teardown(() => collector.stop());
  const failures: (Error | undefined)[] = [];
  const onExport = (error: Error | undefined) => failures.push(error);
  const spans = new Spans({ endpoint, serviceName: 'forwarder-1', version: '0.1.0', onExport });
  t.teardown(() => spans.stop());
  return { collector, spans, failures };
}

test('a trace context is read by the rules of W3C, and anything else is none', (t) => {
  t.like(readTraceContext(metadata({ traceparent: parent, tracestate: 'a=1' })), {
    traceId,
    spanId,
    flags: 1,
    state: 'a=1',
  });
  t.like(
    readTraceContext(metadata({ traceparent: `cc-${traceId}-${spanId}-01-more` })),
    { traceId },
    'a later version',
  );
  t.like(readTraceContext(metadata({ traceparent: parent, tracestate: `a=${'x'.repeat(600)}` })), { state: '' });
  for (const traceparent of [
    '',
    'nonsense',
    `00-${'0'.repeat(32)}-${spanId}-01`,
    `00-${traceId}-${'0'.repeat(16)}-01`,
    `ff-${traceId}-${spanId}-01`,
    `00-${traceId}-${spanId}-01-more`,
    `00-${traceId.toUpperCase()}-${spanId}-01`,
    `00-${traceId}-${spanId}-1`,
    `${parent}\n`,
  ])
    t.is(
      readTraceContext({ get: (key: string) => (key === 'traceparent' ? [traceparent] : []) } as Metadata),
      undefined,
    );
  const twice = metadata({ traceparent: parent });
  twice.add('traceparent', parent);
  t.is(readTraceContext(twice), undefined);
});

test('telemetry off: the context goes on as it came, for its own call only', async (t) => {
  const tracing = await startTracing(undefined);
  const inside = await tracing.answer('Request', metadata({ traceparent: parent, tracestate: 'a=1' }), () =>
    tracing.step('ask the next hop', {}, async () => propagated(tracing)),
  );
  t.deepEqual(inside, { traceparent: parent, tracestate: 'a=1' });
  const [first, second] = await Promise.all(
    ['a', 'b'].map((letter) =>
      tracing.answer('Request', metadata({ traceparent: `00-${letter.repeat(32)}-${spanId}-00` }), async () => {
        await new Promise((resume) => setImmediate(resume));
        return propagated(tracing);
      }),
    ),
  );
  t.is(first?.['traceparent'], `00-${'a'.repeat(32)}-${spanId}-00`);
  t.is(second?.['traceparent'], `00-${'b'.repeat(32)}-${spanId}-00`);
  t.deepEqual(await tracing.answer('Request', metadata(), async () => propagated(tracing)), {});
  t.deepEqual(propagated(tracing), {});
});

test('OpenTelemetry is loaded only where telemetry is on', (t) => {
  const script = (telemetry: string) => `
    import { registerHooks } from 'node:module';
    let loaded = 0;
    registerHooks({ load: (url, context, next) => { loaded += url.includes('/@opentelemetry/'); return next(url, context); } });
    const { startTracing } = await import('${new URL('../../../src/grpc/tracing/start.ts', import.meta.url).href}');
    await startTracing(${telemetry});
    console.log(loaded > 0);
    process.exit();`;
  const run = (telemetry: string) =>
    execFileSync(process.execPath, ['--input-type=module', '-e', script(telemetry)], { encoding: 'utf8' }).trim();
  t.is(run('undefined'), 'false');
  t.is(run("{ endpoint: '127.0.0.1:1', serviceName: 'x', version: '0', onExport() {} }"), 'true');
});

test('a Request is a span under the caller, its steps are spans under it, and the next hop hears of the step', async (t) => {
  const { collector, spans, failures } = await collecting(t);
  let onward: Record<string, unknown> = {};
  await spans.answer(
    '/networkservice.NetworkService/Request',
    metadata({ traceparent: parent, tracestate: 'a=1' }),
    async () => {
      await spans.step('discover', { 'nsm.network_service': 'firewall' }, async () => {});
      await spans.step('ask the next hop', {}, async () => {
        onward = propagated(spans);
      });
      await t.throwsAsync(
        spans.step('apply the wire', { 'crosswire.wire': 'nsm-1' }, () =>
          Promise.reject(new Error('no such namespace')),
        ),
      );
    },
  );
  const request = await collector.received('/networkservice.NetworkService/Request');
  const [discover, ask, apply] = await Promise.all(
    ['discover', 'ask the next hop', 'apply the wire'].map((name) => collector.received(name)),
  );
  t.like(request, { service: 'forwarder-1', traceId, parentSpanId: spanId, kind: 2, status: 0, traceState: 'a=1' });
  t.like(discover, {
    traceId,
    parentSpanId: request.spanId,
    kind: 1,
    attributes: { 'nsm.network_service': 'firewall' },
  });
  t.like(ask, { traceId, parentSpanId: request.spanId, kind: 3 });
  t.like(apply, { traceId, parentSpanId: request.spanId, status: 2, attributes: { 'crosswire.wire': 'nsm-1' } });
  t.deepEqual(onward, { traceparent: `00-${traceId}-${ask?.spanId}-01`, tracestate: 'a=1' });
  t.deepEqual(failures, [], 'a collector that answers is not worth a word');
});

test('without a context of the caller a trace begins here; a failing Close is marked', async (t) => {
  const { collector, spans } = await collecting(t);
  await t.throwsAsync(
    spans.answer('Close', metadata(), () => Promise.reject(new Error('refused'))),
    { message: 'refused' },
  );
  const span = await collector.received('Close');
  t.like(span, { parentSpanId: '', status: 2 });
  t.regex(span.traceId, /^[0-9a-f]{32}$/);
});

test('stopping sends what is left', async (t) => {
  const { collector, spans } = await collecting(t);
  await spans.answer('last', metadata(), async () => {});
  await spans.stop();
  t.is((await collector.received('last')).name, 'last');
});

test('a collector that takes connections and never answers holds nothing up', async (t) => {
  // One may come while the test is being ended: it must hold nothing up either.
  const silent = createServer((socket) => void socket.unref());
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  t.teardown(() => silent.close());
  const { port } = silent.address() as { port: number };
  const spans = new Spans({ endpoint: `127.0.0.1:${port}`, serviceName: 'x', version: '0', onExport: () => {} });
  t.teardown(() => spans.stop());
  const held = connect(port, '127.0.0.1');
  t.teardown(() => held.destroy());
  for (let count = 0; count < 10_000; count++) await spans.answer('Request', metadata(), async () => {});
  const outcome = await Promise.race([
    spans.stop().then(() => 'stopped'),
    new Promise((resolve) => setTimeout(resolve, 30_000, 'still stopping').unref()),
  ]);
  t.is(outcome, 'stopped');
});

test('a collector that is not there is named once, and once more when it answers', async (t) => {
  const reserved = createServer();
  reserved.listen(0, '127.0.0.1');
  await once(reserved, 'listening');
  const { port } = reserved.address() as { port: number };
  await new Promise((resolve) => reserved.close(resolve));
  const told: (Error | undefined)[] = [];
  const { promise: failed, resolve: onFailed } = Promise.withResolvers<void>();
  const { promise: recovered, resolve: onRecovered } = Promise.withResolvers<void>();
  const onExport = (error: Error | undefined) => {
    told.push(error);
    (error ? onFailed : onRecovered)();
  };
  const spans = new Spans({ endpoint: `127.0.0.1:${port}`, serviceName: 'x', version: '0', onExport });
  t.teardown(() => spans.stop());
  t.is(await spans.answer('Request', metadata(), async () => 'answered'), 'answered');
  await failed;
  const collector = new OtlpCollector();
  await collector.start(port);
  t.teardown(() => collector.stop());
  const more = setInterval(() => void spans.answer('later', metadata(), async () => {}), 100);
  t.teardown(() => clearInterval(more));
  await recovered;
  t.like(told, { length: 2, 1: undefined });
  t.true(told[0] instanceof Error);
});

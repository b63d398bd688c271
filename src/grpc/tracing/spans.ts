// SPDX-License-Identifier: Apache-2.0
// With telemetry: a span for each Request and Close and for each of their steps, exported by OTLP over gRPC in the background.
// Nothing waits for the collector; spans that it does not take in time are dropped.

import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { credentials, type Metadata } from '@grpc/grpc-js';
import { createTraceState, ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { AlwaysOnSampler, BatchSpanProcessor, type SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace';
import { readTraceContext, type TraceContext, writeTraceContext } from './trace-context.ts';
import type { Attributes, Step, Tracing } from './tracing.ts';

export interface SpansSettings {
  /** The collector's host:port, without TLS. */
  readonly endpoint: string;
  /** `service.name` of the resource. */
  readonly serviceName: string;
  readonly version: string;
  /** Called once when the collector stops taking spans, and once when it takes them again. */
  readonly onExport: (error: Error | undefined) => void;
}

/** Milliseconds: for one batch, and for the rest when the forwarder stops. */
const exportMilliseconds = 5_000;
const stopMilliseconds = 1_000;

/** Steps that call others. */
const onward: readonly Step[] = ['ask the next hop', 'close at the next hop'];

export class Spans implements Tracing {
  readonly #current = new AsyncLocalStorage<Span>();
  readonly #provider: TracerProvider;
  readonly #exporter: SpanExporter;

  constructor({ endpoint, serviceName, version, onExport }: SpansSettings) {
    this.#exporter = new OTLPTraceExporter({
      url: `http://${endpoint}`,
      credentials: credentials.createInsecure(),
      timeoutMillis: exportMilliseconds,
    });
    this.#provider = new TracerProvider({
      sampler: new AlwaysOnSampler(), // as NSM's programs do
      resource: resourceFromAttributes({ 'service.name': serviceName, 'service.version': version }),
      spanProcessors: [
        new BatchSpanProcessor({
          exporter: reporting(this.#exporter, onExport),
          scheduledDelayMillis: 1_000,
          exportTimeoutMillis: exportMilliseconds,
        }),
      ],
    });
  }

  answer<T>(call: string, incoming: Metadata, work: () => Promise<T>): Promise<T> {
    const parent = readTraceContext(incoming);
    const context = parent ? trace.setSpanContext(ROOT_CONTEXT, spanContextOf(parent)) : ROOT_CONTEXT;
    return this.#within(this.#tracer.startSpan(call, { kind: SpanKind.SERVER }, context), work);
  }

  step<T>(name: Step, about: Attributes, work: () => Promise<T>): Promise<T> {
    const parent = this.#current.getStore();
    const kind = onward.includes(name) ? SpanKind.CLIENT : SpanKind.INTERNAL;
    const context = parent ? trace.setSpan(ROOT_CONTEXT, parent) : ROOT_CONTEXT;
    return this.#within(this.#tracer.startSpan(name, { kind, attributes: { ...about } }, context), work);
  }

  propagate(outgoing: Metadata): void {
    const context = this.#current.getStore()?.spanContext();
    if (!context) return;
    const { traceId, spanId, traceFlags, traceState } = context;
    writeTraceContext({ traceId, spanId, flags: traceFlags, state: traceState?.serialize() ?? '' }, outgoing);
  }

  async stop(): Promise<void> {
    const limit = new AbortController();
    const stopped = this.#provider.shutdown().catch(() => {});
    await Promise.race([stopped, sleep(stopMilliseconds, undefined, { signal: limit.signal }).catch(() => {})]);
    limit.abort();
    // After a failed last batch the provider leaves the connection open until this closes it.
    this.#exporter.shutdown().catch(() => {});
  }

  get #tracer() {
    return this.#provider.getTracer('crosswire');
  }

  async #within<T>(span: Span, work: () => Promise<T>): Promise<T> {
    try {
      return await this.#current.run(span, work);
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.message : String(error) });
      throw error;
    } finally {
      span.end();
    }
  }
}

function spanContextOf({ traceId, spanId, flags, state }: TraceContext) {
  const traceState = state ? { traceState: createTraceState(state) } : {};
  return { traceId, spanId, traceFlags: flags, isRemote: true, ...traceState };
}

/** Reports when the collector stops answering and when it answers again, not each failure. */
function reporting(exporter: SpanExporter, onExport: SpansSettings['onExport']): SpanExporter {
  let failing = false;
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        if (failing !== (result.error !== undefined)) onExport(result.error);
        failing = result.error !== undefined;
        done(result);
      }),
    forceFlush: async () => exporter.forceFlush?.(),
    shutdown: () => exporter.shutdown(),
  };
}

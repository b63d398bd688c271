// SPDX-License-Identifier: Apache-2.0
// Without telemetry: the caller's trace context goes on to the next hop unchanged, so that the trace does not end here.

import { AsyncLocalStorage } from 'node:async_hooks';
import type { Metadata } from '@grpc/grpc-js';
import { readTraceContext, type TraceContext, writeTraceContext } from './trace-context.ts';
import type { Attributes, Step, Tracing } from './tracing.ts';

export class PassOn implements Tracing {
  readonly #context = new AsyncLocalStorage<TraceContext | undefined>();

  answer<T>(_call: string, incoming: Metadata, work: () => Promise<T>): Promise<T> {
    return this.#context.run(readTraceContext(incoming), work);
  }

  step<T>(_name: Step, _about: Attributes, work: () => Promise<T>): Promise<T> {
    return work();
  }

  propagate(outgoing: Metadata): void {
    const context = this.#context.getStore();
    if (context) writeTraceContext(context, outgoing);
  }

  async stop(): Promise<void> {}
}

// SPDX-License-Identifier: Apache-2.0
// The trace of a call: read from the caller's metadata, passed on with every call that we make for it, and exported as spans
// with telemetry.

import type { Metadata } from '@grpc/grpc-js';

export type Attributes = Readonly<Record<string, string>>;

/** The steps of a Request or Close. */
export type Step = 'discover' | 'ask the next hop' | 'close at the next hop' | 'apply the wire' | 'remove the wire';

export interface Tracing {
  /** Runs the work for an incoming call as a part of the caller's trace. */
  answer<T>(call: string, incoming: Metadata, work: () => Promise<T>): Promise<T>;
  /** Runs a step of the current call. */
  step<T>(name: Step, about: Attributes, work: () => Promise<T>): Promise<T>;
  /** Adds the trace of the current call, if any, to the metadata of a call that we make for it. */
  propagate(outgoing: Metadata): void;
  /** Takes bounded time, whatever the collector does. */
  stop(): Promise<void>;
}

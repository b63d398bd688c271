// SPDX-License-Identifier: Apache-2.0
// The trace that a call belongs to: taken from the caller's metadata, passed on with every call that is made for it, and
// exported as spans where telemetry is on.

import type { Metadata } from '@grpc/grpc-js';

export type Attributes = Readonly<Record<string, string>>;

/** What a Request or Close consists of. */
export type Step = 'discover' | 'ask the next hop' | 'close at the next hop' | 'apply the wire' | 'remove the wire';

export interface Tracing {
  /** The work for an incoming call, as a part of the caller's trace. */
  answer<T>(call: string, incoming: Metadata, work: () => Promise<T>): Promise<T>;
  /** A step of the call under way. */
  step<T>(name: Step, about: Attributes, work: () => Promise<T>): Promise<T>;
  /** Names the trace of the call under way, where there is one, to whoever is called for it. */
  propagate(outgoing: Metadata): void;
  /** Bounded, whatever the collector does. */
  stop(): Promise<void>;
}

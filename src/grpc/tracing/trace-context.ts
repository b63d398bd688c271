// SPDX-License-Identifier: Apache-2.0
// The trace context of a call in gRPC metadata (W3C Trace Context, https://www.w3.org/TR/trace-context/, section 3).

import type { Metadata } from '@grpc/grpc-js';

export interface TraceContext {
  readonly traceId: string;
  readonly spanId: string;
  readonly flags: number;
  /** For other systems on the path; opaque to us. */
  readonly state: string;
}

/** Every system on the path must carry that much (section 3.3.1.5); a longer state is left out. */
const longestState = 512;

const nothing = /^0+$/;

/** Undefined where the context is missing or malformed: then a trace begins here. */
export function readTraceContext(metadata: Metadata): TraceContext | undefined {
  const [parent, ...others] = metadata.get('traceparent');
  const [, version, traceId = '', spanId = '', flags = '', more] =
    /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/.exec(String(parent ?? '')) ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && more)) return undefined;
  if (others.length > 0 || nothing.test(traceId) || nothing.test(spanId)) return undefined;
  const state = metadata.get('tracestate').join();
  const carried = state.length <= longestState && /^[\x20-\x7e]*$/.test(state) ? state : '';
  return { traceId, spanId, flags: Number.parseInt(flags, 16), state: carried };
}

export function writeTraceContext({ traceId, spanId, flags, state }: TraceContext, metadata: Metadata): void {
  metadata.set('traceparent', `00-${traceId}-${spanId}-${flags.toString(16).padStart(2, '0')}`);
  if (state) metadata.set('tracestate', state);
}

// SPDX-License-Identifier: Apache-2.0

import { PassOn } from './pass-on.ts';
import type { SpansSettings } from './spans.ts';
import type { Tracing } from './tracing.ts';

/** OpenTelemetry is loaded only with telemetry: it takes megabytes. */
export async function startTracing(telemetry: SpansSettings | undefined): Promise<Tracing> {
  if (!telemetry) return new PassOn();
  const { Spans } = await import('./spans.ts');
  return new Spans(telemetry);
}

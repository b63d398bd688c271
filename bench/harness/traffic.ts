// SPDX-License-Identifier: Apache-2.0
// Derives the traffic of a measurement from its samples, if the measurement does not say it itself.

import type { Measurement, Traffic } from './result.ts';

export function withTraffic(measurement: Measurement): Measurement {
  const sent = measurement.pairs.map(({ samples }) => samples?.subject.traffic ?? {});
  return { ...common(sent), ...measurement };
}

/** The properties that are the same in all samples. */
function common(sent: readonly Traffic[]): Traffic {
  const [first = {}, ...others] = sent;
  const agreed = Object.entries(first).filter(([name, value]) =>
    others.every((other) => other[name as keyof Traffic] === value),
  );
  return Object.fromEntries(agreed);
}

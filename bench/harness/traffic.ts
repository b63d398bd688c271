// SPDX-License-Identifier: Apache-2.0
// What a measurement sent, from what its samples sent, where it does not say so itself.

import type { Measurement, Traffic } from './result.ts';

export function withTraffic(measurement: Measurement): Measurement {
  const sent = measurement.pairs.map(({ samples }) => samples?.subject.traffic ?? {});
  return { ...common(sent), ...measurement };
}

/** Only what all of them agree on. */
function common(sent: readonly Traffic[]): Traffic {
  const [first = {}, ...others] = sent;
  const agreed = Object.entries(first).filter(([name, value]) =>
    others.every((other) => other[name as keyof Traffic] === value),
  );
  return Object.fromEntries(agreed);
}

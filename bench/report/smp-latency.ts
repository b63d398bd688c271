// SPDX-License-Identifier: Apache-2.0
// Converts the subject's latency distribution to milliseconds, whatever its unit.

import type { Series } from '../harness/result.ts';
import { distributionsOf } from './distributions.ts';
import type { Row } from './rows.ts';
import type { Message } from './smp.ts';

const millisecondsPer: Readonly<Record<string, number>> = { ns: 1e-6, µs: 1e-3, us: 1e-3, ms: 1, s: 1e3 };

// The names of SMP's fields for percentiles.
const fieldOf: readonly (readonly [number, string])[] = [
  [0, 'min'],
  [50, 'p50'],
  [90, 'p90'],
  [99, 'p99'],
  [100, 'max'],
];

export function latencyOf(row: Row): Message | undefined {
  const found = distributionOf(row);
  if (found === undefined) return undefined;
  const { series, scale } = found;
  const at = new Map(series.points);
  const fields = fieldOf.map(([percentile, name]) => [name, milliseconds(at.get(percentile), scale)]);
  return { ...Object.fromEntries(fields), average: milliseconds(series.mean, scale) };
}

/** The percentiles for which SMP has no field. */
export function latencyLabels(row: Row): Record<string, number> {
  const found = distributionOf(row);
  if (found === undefined) return {};
  const others = found.series.points.filter(([percentile]) => fieldOf.every(([known]) => known !== percentile));
  return Object.fromEntries(others.map(([at, value]) => [`latency_p${at}_ms`, milliseconds(value, found.scale)]));
}

function distributionOf({ measurement, state }: Row): { series: Series; scale: number } | undefined {
  const series = distributionsOf(measurement, state).find(({ name }) => name === measurement.subject);
  const scale = millisecondsPer[series?.unit ?? measurement.unit];
  return series === undefined || scale === undefined ? undefined : { series, scale };
}

/** 4.2 µs are 0.0042 ms, not 0.004200000000000001. */
function milliseconds<T extends number | undefined>(value: T, scale: number): T {
  return (value === undefined ? undefined : Number((value * scale).toPrecision(12))) as T;
}

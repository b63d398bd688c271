// SPDX-License-Identifier: Apache-2.0
// What a process cost while it was measured: recorded with every sample.

import type { Sample, Sampler } from './pairs.ts';
import { type Measured, residentMebibytes, type Usage, usageOf } from './process.ts';

export type Cost = Readonly<Record<'CPU cores' | 'RSS MiB', number>>;

/** Between two looks at a process: CPU seconds per second, and what it holds at the end. */
export function costBetween(pid: number, before: Usage, after: Usage, seconds: number): Cost {
  return {
    'CPU cores': (after.cpuSeconds - before.cpuSeconds) / seconds,
    'RSS MiB': residentMebibytes(pid),
  };
}

const daemons = new Set<Measured>();

/** Says that its cost belongs to samples taken while nothing else forwards. */
export function account(daemon: Measured): void {
  for (const other of daemons) if (other.ended) daemons.delete(other);
  daemons.add(daemon);
}

/** Adds the cost of the daemon, unless the sample tells it already. The daemon may be another afterwards: it restarts. */
export function costed(sampler: Sampler): Sampler {
  return async (): Promise<Sample> => {
    const before = new Map([...daemons].map(({ pid }) => [pid, usageOf(pid)]));
    const from = performance.now();
    const sample = await sampler();
    const seconds = (performance.now() - from) / 1000;
    const [daemon, ...others] = [...daemons].filter(({ ended }) => !ended);
    if (daemon === undefined || others.length > 0) return sample;
    const { pid } = daemon;
    const since = before.get(pid) ?? { cpuSeconds: 0, waited: new Map<string, number>() };
    return { ...sample, figures: { ...costBetween(pid, since, usageOf(pid), seconds), ...sample.figures } };
  };
}

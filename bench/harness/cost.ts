// SPDX-License-Identifier: Apache-2.0
// The CPU time and memory of a process during a sample, recorded with every sample.

import type { Sample, Sampler } from './pairs.ts';
import { type Measured, residentMebibytes, type Usage, usageOf } from './process.ts';

export type Cost = Readonly<Record<'CPU cores' | 'RSS MiB', number>>;

/** CPU seconds per second between two readings of a process, and its memory at the end. */
export function costBetween(pid: number, before: Usage, after: Usage, seconds: number): Cost {
  return {
    'CPU cores': (after.cpuSeconds - before.cpuSeconds) / seconds,
    'RSS MiB': residentMebibytes(pid),
  };
}

const daemons = new Set<Measured>();

/** Records the cost of this process with the samples that follow; it must be the only one that forwards. */
export function account(daemon: Measured): void {
  for (const other of daemons) if (other.ended) daemons.delete(other);
  daemons.add(daemon);
}

/** Adds the cost of the daemon, unless the sample has it already. The daemon may restart during the sample. */
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

// SPDX-License-Identifier: Apache-2.0
// Measures what the defences against a hostile memif peer cost: the same loop with and without the checks, and headers
// parsed in a private copy and in place. One thread and warm caches, so that nothing else hides the cost.

import { cyclesPerSecond } from '../harness/environment.ts';
import { type Bench, compare, type Measure } from '../harness/measure.ts';
import { runToEnd } from '../harness/process.ts';
import { builtProgram } from '../harness/programs.ts';
import type { Measurement } from '../harness/result.ts';

type Part = 'receive' | 'forward' | 'headers';

interface Costs
  extends Record<Part, { readonly defended: number; readonly trusting: number; readonly product?: number }> {
  readonly guardPerSession: number;
}

const parts: readonly (readonly [name: string, part: Part, size: number, title: string])[] = [
  ['defences-64', 'forward', 64, 'memif ring to memif ring, 64 bytes, with and without checks'],
  ['defences-1514', 'forward', 1514, 'memif ring to memif ring, 1514 bytes, with and without checks'],
  ['defences-receive', 'receive', 64, 'receiving from a memif ring, with and without checks'],
  ['defences-headers', 'headers', 64, 'parsing TCP headers in a private copy and in place'],
];

export const defences: Measure = {
  name: 'defences',
  async run(bench) {
    const measurements: Measurement[] = [];
    for (const [name, part, size, title] of parts) measurements.push(await partOf(bench, name, part, size, title));
    return measurements;
  },
};

async function partOf(bench: Bench, name: string, part: Part, size: number, title: string): Promise<Measurement> {
  const program = builtProgram('defences');
  const cycles = (nanoseconds: number) => (nanoseconds * cyclesPerSecond()) / 1e9;
  let trusting = Number.NaN; // the program measures both in turns, so the second half of a pair is known already
  const headline = {
    name,
    title,
    unit: 'cycles/frame',
    better: 'less',
    subject: 'with defences',
    rival: 'without',
  } as const;
  return compare(
    bench,
    headline,
    async () => {
      const text = await runToEnd('taskset', ['--cpu-list', String(bench.forwarderCpu), program, String(size)]);
      const costs = JSON.parse(text) as Costs;
      const { defended, product } = costs[part];
      trusting = cycles(costs[part].trusting);
      const figures = {
        'cycles per frame for the defences': cycles(defended) - trusting,
        ...(product === undefined ? {} : { 'cycles per frame of the product': cycles(product) }),
        'ns to guard one more session': costs.guardPerSession,
      };
      return { value: cycles(defended), figures, traffic: { frameBytes: size } };
    },
    async () => ({ value: trusting }),
  );
}

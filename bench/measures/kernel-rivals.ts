// SPDX-License-Identifier: Apache-2.0
// Compares one subject with several rivals, one after the other, each a path between two namespaces.

import { Iperf, type IperfCpus } from '../harness/iperf.ts';
import { Absent, type Bench, compare, type Headline, releasing, skipped } from '../harness/measure.ts';
import type { Sample } from '../harness/pairs.ts';
import type { Measurement } from '../harness/result.ts';
import type { KernelPath } from '../subjects/kernel.ts';

export interface KernelRival {
  readonly name: string;
  readonly start: () => Promise<KernelPath>;
  readonly target: number;
}

export interface KernelComparison {
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  readonly cpus: IperfCpus;
  readonly subject: () => Promise<KernelPath>;
  readonly rivals: readonly KernelRival[];
  readonly sample: (iperf: Iperf) => Promise<Sample>;
}

export async function compareKernelPaths(bench: Bench, comparison: KernelComparison): Promise<readonly Measurement[]> {
  const { cpus, sample } = comparison;
  return releasing(async (own) => {
    const subject = await begin(await comparison.subject(), cpus);
    own(() => subject.stop());
    const measurements: Measurement[] = [];
    for (const rival of comparison.rivals) measurements.push(await against(bench, comparison, subject, rival, sample));
    return measurements;
  });
}

async function against(
  bench: Bench,
  { name, title, unit, cpus }: KernelComparison,
  subject: Iperf,
  rival: KernelRival,
  sample: (iperf: Iperf) => Promise<Sample>,
): Promise<Measurement> {
  const headline: Headline = {
    name: `${name}/${rival.name}`,
    title,
    unit,
    better: 'more',
    subject: 'crosswire',
    rival: rival.name,
    target: rival.target,
  };
  return releasing(async (own) => {
    let other: Iperf;
    try {
      other = await begin(await rival.start(), cpus);
    } catch (error) {
      // If a rival does not start, the others are measured all the same.
      const reason = error instanceof Error ? error.message : String(error);
      return skipped(headline, error instanceof Absent ? reason : `it did not start: ${reason}`);
    }
    own(() => other.stop());
    return compare(
      bench,
      headline,
      () => sample(subject),
      () => sample(other),
    );
  });
}

async function begin(path: KernelPath, cpus: IperfCpus): Promise<Iperf> {
  try {
    return await Iperf.start(path, cpus);
  } catch (error) {
    await path.stop();
    throw error;
  }
}

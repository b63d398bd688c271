// SPDX-License-Identifier: Apache-2.0
// doctor: the CPUs and the CPU quota. When the quota is used up, the kernel stops every thread until the period ends
// (100 ms by default). Users see this as latency and lost frames.

import { availableParallelism } from 'node:os';
import type { MachineFinding } from '../../model/machine.ts';
import type { CpuQuota } from '../cgroup.ts';

export function cpuFindings({ cpus, throttling }: CpuQuota): MachineFinding[] {
  const count = availableParallelism();
  return [{ check: 'cpus', state: 'ok', found: `${count} can be used` }, quotaFinding(cpus, throttling)];
}

function quotaFinding(cpus: number | null, throttling: CpuQuota['throttling']): MachineFinding {
  if (cpus === null) return { check: 'cpu-quota', state: 'ok', found: 'none' };
  const stopped =
    throttling === null
      ? 'cpu.stat cannot be read'
      : `stopped in ${throttling.throttledPeriods} of ${throttling.periods} periods, ${throttling.throttledNanoseconds / 1_000_000n} ms in all`;
  return {
    check: 'cpu-quota',
    state: 'warning',
    found: `${cpus} CPUs; ${stopped}`,
    advice:
      "take the CPU limit off the forwarder's container (requests are fine): a quota shows as latency of every wire",
  };
}

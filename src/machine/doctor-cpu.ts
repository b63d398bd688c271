// SPDX-License-Identifier: Apache-2.0
// doctor: CPUs and their quota. A spent quota stops every thread for the rest of its period, 100 ms as a rule: users
// see it as latency and lost frames of the data plane.

import { availableParallelism } from 'node:os';
import type { MachineFinding } from '../model/machine.ts';
import type { CpuQuota } from './cgroup.ts';

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

// SPDX-License-Identifier: Apache-2.0
// Renders the metrics of the forwarder as a whole.

import type { HealthRecord, WirePhase } from '../model/status.ts';
import type { WireStatus } from '../wire/status.ts';
import { forwarderMetrics, throttlingMetrics } from './catalogue.ts';
import { family, seconds } from './text-format.ts';

/** The control group's cpu.stat. */
export interface CpuThrottling {
  readonly periods: bigint;
  readonly throttledPeriods: bigint;
  readonly throttledNanoseconds: bigint;
}

const phases: readonly WirePhase[] = ['pending', 'up', 'degraded', 'failed', 'removing'];
const severities: readonly HealthRecord['severity'][] = ['info', 'warning', 'error'];

export function renderForwarder(
  version: string,
  wires: readonly WireStatus[],
  health: readonly HealthRecord[],
): string {
  const counts = new Map<WirePhase, number>();
  for (const { phase } of wires) counts.set(phase, (counts.get(phase) ?? 0) + 1);
  return (
    family(forwarderMetrics.crosswire_build_info, [[{ version }, '1']]) +
    family(
      forwarderMetrics.crosswire_wires,
      phases.map((phase) => [{ phase }, String(counts.get(phase) ?? 0)]),
    ) +
    family(
      forwarderMetrics.crosswire_health_records,
      severities.map((severity) => [{ severity }, String(health.filter((it) => it.severity === severity).length)]),
    )
  );
}

export function renderThrottling({ periods, throttledPeriods, throttledNanoseconds }: CpuThrottling): string {
  return (
    family(throttlingMetrics.crosswire_cpu_periods_total, [[{}, String(periods)]]) +
    family(throttlingMetrics.crosswire_cpu_throttled_periods_total, [[{}, String(throttledPeriods)]]) +
    family(throttlingMetrics.crosswire_cpu_throttled_seconds_total, [[{}, seconds(throttledNanoseconds)]])
  );
}

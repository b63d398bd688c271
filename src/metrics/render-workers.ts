// SPDX-License-Identifier: Apache-2.0

import type { WorkerStatistics } from '../dataplane/types.ts';
import { workerMetrics } from './catalogue.ts';
import { heading, seconds } from './text-format.ts';

type Name = keyof typeof workerMetrics;

const values: readonly [Exclude<Name, 'crosswire_worker_frames_per_burst'>, (worker: WorkerStatistics) => string][] = [
  ['crosswire_worker_busy_seconds_total', ({ busyNanoseconds }) => seconds(busyNanoseconds)],
  ['crosswire_worker_idle_seconds_total', ({ idleNanoseconds }) => seconds(idleNanoseconds)],
  ['crosswire_worker_wake_ups_total', ({ wakeUps }) => String(wakeUps)],
  ['crosswire_worker_bursts_total', ({ bursts }) => String(bursts)],
  ['crosswire_worker_frames_total', ({ frames }) => String(frames)],
  ['crosswire_worker_wires', ({ wires }) => String(wires)],
  ['crosswire_worker_hot_wires', ({ hotWires }) => String(hotWires)],
];

export function renderWorkers(workers: readonly WorkerStatistics[]): string {
  let text = '';
  for (const [name, valueOf] of values) {
    text += heading(workerMetrics[name]);
    for (const worker of workers) text += `${name}{worker="${worker.worker}"} ${valueOf(worker)}\n`;
  }
  text += heading(workerMetrics.crosswire_worker_frames_per_burst);
  for (const worker of workers) text += framesPerBurst(worker);
  return text;
}

/** Buckets are cumulative, and +Inf equals the count: both are sums of the same snapshot's buckets. */
function framesPerBurst({ worker, framesPerBurst: buckets, frames }: WorkerStatistics): string {
  const name = 'crosswire_worker_frames_per_burst';
  let text = '';
  let count = 0n;
  for (const [power, bursts] of buckets.entries()) {
    count += bursts;
    text += `${name}_bucket{worker="${worker}",le="${2 ** power}"} ${count}\n`;
  }
  text += `${name}_bucket{worker="${worker}",le="+Inf"} ${count}\n`;
  return `${text}${name}_sum{worker="${worker}"} ${frames}\n${name}_count{worker="${worker}"} ${count}\n`;
}

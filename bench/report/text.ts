// SPDX-License-Identifier: Apache-2.0
// Formats numbers for people.

import type { MachineAt, Run, Spread } from '../harness/result.ts';

const scales: readonly (readonly [number, string])[] = [
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
];

/** Three to four significant digits: 14.20M, 9000, 38.2, 0.00085. */
export function numberText(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size >= 1e4) {
    const [scale, letter] = scales.find(([least]) => size >= least) as readonly [number, string];
    return `${(value / scale).toPrecision(4)}${letter}`;
  }
  if (Number.isInteger(value)) return String(value);
  if (size >= 1000) return value.toFixed(0);
  return String(Number(value.toPrecision(3)));
}

export function spreadText({ least, median, most }: Spread): string {
  return `${numberText(median)} (${numberText(least)} – ${numberText(most)})`;
}

export function ratioText({ least, median, most }: Spread): string {
  return `${median.toFixed(2)}× (${least.toFixed(2)} – ${most.toFixed(2)})`;
}

/** What a reader must know about a run before its numbers. */
export function environmentLines(run: Run): [string, string][] {
  const { environment, startedAt, seconds, quick } = run;
  const versions = Object.entries(environment.versions).map(([program, version]) => `${program} ${version}`);
  const memory = environment.memoryMiB === undefined ? '' : `, ${environment.memoryMiB} MiB`;
  return [
    ['started', `${startedAt}, ran ${numberText(seconds)} s${quick ? ', quick (few pairs)' : ''}`],
    ['commit', environment.commit],
    ['machine', `${environment.cpu}, ${environment.cpus} CPUs${memory}`],
    ['system', `Linux ${environment.kernel}, Node ${environment.node}`],
    ['versions', versions.join(', ') || 'none recorded'],
    ['machine state', stateText(run)],
  ];
}

function stateText({ environment: { machine }, measurements }: Run): string {
  const pairs = measurements.flatMap((measurement) => measurement.pairs);
  const count = (state: string | undefined) => pairs.filter((pair) => pair.state === state).length;
  const at = ({ roundTripNanoseconds, state, load }: MachineAt) =>
    `${state ?? 'unknown'} (core to core and back ${numberText(roundTripNanoseconds)} ns, load ${numberText(load)})`;
  const moments = machine ? `${at(machine.before)} before, ${at(machine.after)} after; ` : '';
  return `${moments}pairs: ${count('fast')} fast, ${count('slow')} slow, ${count(undefined)} dropped`;
}

// SPDX-License-Identifier: Apache-2.0
// Determines the machine state from the time in which two virtual CPUs pass a cache line back and forth.

import { builtProgram } from './programs.ts';
import { runToEnd } from './process.ts';
import type { MachineState } from './result.ts';

/** Observed on virtual machines of two CPUs: 50 or 115–175 ns in fast states, 315–340 or 560–760 ns in slow ones. */
const slowFrom = 250; // nanoseconds

/** Within one state, round trips right after each other differ by a few percent. */
const largestRatio = 1.4;

/** The state during all of these round trips; undefined if it changed, or if there are none. */
export function stateOf(roundTrips: readonly number[]): MachineState | undefined {
  if (roundTrips.length === 0 || roundTrips.some((trip) => !(trip > 0))) return undefined;
  const least = Math.min(...roundTrips);
  const most = Math.max(...roundTrips);
  if (most / least > largestRatio) return undefined;
  return Math.sqrt(least * most) < slowFrom ? 'fast' : 'slow';
}

/** NaN if other processes had the CPUs: such a pair does not count. */
export async function roundTrip(): Promise<number> {
  try {
    const answer = JSON.parse(await runToEnd(builtProgram('round_trip'), [])) as { nanoseconds: number };
    return answer.nanoseconds;
  } catch {
    return Number.NaN;
  }
}

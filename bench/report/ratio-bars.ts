// SPDX-License-Identifier: Apache-2.0
// Makes a bar for every comparison with a rival.

import type { Run } from '../harness/result.ts';
import { machineStates, type Row, rowsOf } from './rows.ts';

export interface RatioBar {
  readonly name: string;
  readonly who: string; // subject, rival and ratio in words
  readonly ratio: number;
  readonly least: number;
  readonly most: number;
  readonly target: number | undefined;
  readonly verdict: string;
}

/** One list of bars per machine state. */
export function ratioBars(run: Run): { state: string; bars: RatioBar[] }[] {
  const compared = rowsOf(run).filter(({ measurement }) => measurement.rival !== undefined);
  return machineStates.flatMap((state) => {
    const bars = compared.filter((row) => row.state === state).map(barOf);
    return bars.length === 0 ? [] : [{ state, bars }];
  });
}

function barOf({ measurement, summary, verdict }: Row): RatioBar {
  const { least, median, most } = summary.ratio;
  return {
    name: measurement.name,
    who: `${measurement.subject} : ${measurement.rival} = ${median.toFixed(2)}×`,
    ratio: median,
    least,
    most,
    target: measurement.target,
    verdict: verdict === undefined ? 'no target' : verdict === 'met' ? 'target met' : 'target missed',
  };
}

// SPDX-License-Identifier: Apache-2.0
// Texts that all formats of the report share.

import type { Run } from '../harness/result.ts';
import { machineStates, rowsOf } from './rows.ts';

export const explanation =
  'Medians with the range of all counted pairs. A ratio above 1 means the subject is ahead, whichever way the unit ' +
  'points. A pair during which the machine changed its state, or another process took the CPU, is dropped and counted.';

export function targetCounts(run: Run): string[] {
  return machineStates.flatMap((state) => {
    const judged = rowsOf(run).filter((row) => row.state === state && row.verdict !== undefined);
    if (judged.length === 0) return [];
    const met = judged.filter((row) => row.verdict === 'met').length;
    return [`On the ${state} machine ${met} of ${judged.length} targets are met.`];
  });
}

// SPDX-License-Identifier: Apache-2.0
// Ends of a run without a goodbye.

import { breakAt, type Machine, type Run } from './supervisor-support.ts';

/** The kernel closes the file descriptors of a process that is gone. */
export async function kill(run: Run): Promise<void> {
  await run.dataplane.close();
}

/** A boot that is cut off at a step; true if it got that far. */
export async function bootCutAt(machine: Machine, at: number): Promise<boolean> {
  const run = machine.boot();
  const breakage = breakAt(run, at, 'cut');
  await run.supervisor.start().catch(() => {});
  await kill(run);
  return breakage.happened();
}

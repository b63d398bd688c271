// SPDX-License-Identifier: Apache-2.0
// Performs the steps of a plan of one or several wires in order. If one fails, undoes the earlier steps in reverse order.

import type { CrosswireError } from '../../model/error.ts';
import { type Action, inverse } from '../../plan/action.ts';
import { asCrosswireError } from './errors.ts';
import { type Executor, explained, isReturn } from './executor.ts';

export interface ExecutorStep {
  readonly executor: Executor;
  readonly action: Action;
}

export interface Failure {
  readonly error: CrosswireError;
  /** The executor whose step failed; undefined if `finish` failed. */
  readonly executor: Executor | undefined;
  /** The executors whose undo was incomplete. If there are none, everything is as it was. */
  readonly unclean: ReadonlySet<Executor>;
}

/** All or nothing: if a step or `finish` fails, all steps are undone. */
export async function run(steps: readonly ExecutorStep[], finish: () => Promise<void>): Promise<Failure | undefined> {
  const done: ExecutorStep[] = [];
  for (const step of steps) {
    const { executor, action } = step;
    try {
      await executor.perform(action);
      done.push(step);
    } catch (error) {
      if (isReturn(action)) done.push(step); // it may have come half-way home: it is taken again
      return { error: explained(error, action), executor, unclean: await undo(done) };
    }
  }
  const executors = new Set(steps.map((step) => step.executor));
  try {
    for (const executor of executors)
      await executor.settleCarriers(steps.flatMap((step) => (step.executor === executor ? [step.action] : [])));
    await finish();
    return undefined;
  } catch (error) {
    const wires = [...executors].map(({ wire }) => wire).join(', ');
    return { error: asCrosswireError(error, 'finish the plan', wires), executor: undefined, unclean: await undo(done) };
  }
}

/** Carries on past failures. */
async function undo(done: readonly ExecutorStep[]): Promise<Set<Executor>> {
  const unclean = new Set<Executor>();
  for (const { executor, action } of done.toReversed()) {
    const errors = await executor.runAnyway([inverse(action)]);
    if (errors.length > 0) unclean.add(executor);
  }
  return unclean;
}

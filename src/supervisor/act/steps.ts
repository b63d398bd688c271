// SPDX-License-Identifier: Apache-2.0
// Does the steps of a plan, of one wire or of several, one after the other; undoes them in reverse if one fails.

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
  /** Of the wire whose step failed. */
  readonly executor: Executor | undefined;
  /** Of the wires that could not be undone; empty: everything is as it was. */
  readonly unclean: ReadonlySet<Executor>;
}

/** All or nothing: if a step fails, or `finish`, what was done is undone. */
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

/** As much as can be. */
async function undo(done: readonly ExecutorStep[]): Promise<Set<Executor>> {
  const unclean = new Set<Executor>();
  for (const { executor, action } of done.toReversed()) {
    const errors = await executor.runAnyway([inverse(action)]);
    if (errors.length > 0) unclean.add(executor);
  }
  return unclean;
}

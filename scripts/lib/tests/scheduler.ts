// SPDX-License-Identifier: Apache-2.0
// Decides which stages run beside each other, and runs all of them. Stages start in the order of the table where they can.

import type { Kind, Outcome, Stage } from './stage.ts';

const mostBesides: Readonly<Record<Kind, number>> = { computes: 1, waits: 2, alone: 1 };

/** The stages that may start now, with those that already run. `ended` holds only stages of this run. */
export function startable(
  waiting: readonly Stage[],
  running: readonly Stage[],
  ended: ReadonlyMap<string, Outcome>,
): Stage[] {
  const selected = new Set([...waiting, ...running].map(({ name }) => name));
  const started: Stage[] = [];
  for (const stage of waiting) {
    const ready = stage.after.every((name) => !selected.has(name) && (ended.get(name) ?? 'passed') === 'passed');
    const beside = [...running, ...started];
    if (ready && hasPlace(stage, beside, waiting)) started.push(stage);
  }
  return started;
}

function hasPlace(stage: Stage, beside: readonly Stage[], waiting: readonly Stage[]): boolean {
  if (beside.some(({ kind }) => kind === 'alone')) return false;
  if (stage.kind === 'alone') return beside.length === 0 && waiting.every(({ kind }) => kind === 'alone');
  return beside.filter(({ kind }) => kind === stage.kind).length < mostBesides[stage.kind];
}

/** The stages whose turn can no longer come, each with the stage that is to blame. */
export function blocked(waiting: readonly Stage[], ended: ReadonlyMap<string, Outcome>): Map<Stage, string> {
  const found = new Map<Stage, string>();
  for (const stage of waiting) {
    const cause = stage.after.find((name) => (ended.get(name) ?? 'passed') !== 'passed');
    if (cause !== undefined) found.set(stage, cause);
  }
  return found;
}

export interface Schedule {
  readonly run: (stage: Stage) => Promise<Outcome>;
  readonly notRun: (stage: Stage, cause: string) => void;
  /** True when no further stage should start. */
  readonly isInterrupted: () => boolean;
}

/** Resolves when every stage has ended or cannot run. */
export async function runAll(stages: readonly Stage[], schedule: Schedule): Promise<Map<string, Outcome>> {
  const ended = new Map<string, Outcome>();
  const running = new Map<Stage, Promise<void>>();
  let waiting = [...stages];
  while (waiting.length > 0 || running.size > 0) {
    for (const [stage, cause] of blocked(waiting, ended)) {
      ended.set(stage.name, 'not run');
      schedule.notRun(stage, cause);
    }
    waiting = waiting.filter(({ name }) => !ended.has(name));
    if (schedule.isInterrupted()) waiting = [];
    for (const stage of startable(waiting, [...running.keys()], ended)) {
      waiting = waiting.filter((one) => one !== stage);
      running.set(stage, begin(stage));
    }
    if (running.size > 0) await Promise.race(running.values());
  }
  return ended;

  async function begin(stage: Stage): Promise<void> {
    ended.set(stage.name, await schedule.run(stage));
    running.delete(stage);
  }
}

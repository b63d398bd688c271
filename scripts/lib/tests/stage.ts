// SPDX-License-Identifier: Apache-2.0

/** How much of the tests a command runs: each tier holds the one before it. */
export const tiers = ['quick', 'standard', 'all'] as const;
export type Tier = (typeof tiers)[number];

/**
 * What a stage may run beside. One stage that computes keeps all processors busy, so there is one of them at a time. Stages that
 * wait, for timers and other programs, run beside it. A stage that runs alone boots machines that would starve the others.
 */
export type Kind = 'computes' | 'waits' | 'alone';

export interface Stage {
  readonly name: string;
  readonly title: string;
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** What `--only` calls it; several stages may be one part. */
  readonly part: string;
  readonly tiers: readonly Tier[];
  readonly kind: Kind;
  /** Names of stages that must have passed, if they run at all. */
  readonly after: readonly string[];
  /** This exit code says that this machine cannot build it. It is no failure, but what comes after does not run. */
  readonly unavailable?: number;
  readonly limitMinutes: number;
}

export type Outcome = 'passed' | 'failed' | 'unavailable' | 'not run';

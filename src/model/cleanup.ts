// SPDX-License-Identifier: Apache-2.0
// The report of `crosswire cleanup`.

import type { ErrorDetails } from './error.ts';

export interface CleanupThing {
  readonly kind: 'interface' | 'device' | 'record';
  readonly name: string;
  /** A namespace, the mode of a lease, or the state directory. */
  readonly place: string;
  /** The ownership mark; '' if there is none. */
  readonly mark: string;
}

export interface CleanupReport {
  readonly node: string;
  readonly dryRun: boolean;
  readonly things: readonly CleanupThing[];
  readonly errors: readonly ErrorDetails[];
}

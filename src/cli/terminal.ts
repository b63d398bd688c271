// SPDX-License-Identifier: Apache-2.0
// The connection of the verbs to the outside (streams, environment), which tests replace.

import { CrosswireError, type ErrorDetails } from '../model/error.ts';

export interface Terminal {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly stdin: () => Promise<string>;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** error CODE: operation (subject): reason; hint */
export function showError(terminal: Terminal, error: unknown): void {
  if (error instanceof AggregateError) for (const each of error.errors) showError(terminal, each);
  else if (error instanceof CrosswireError) terminal.err(`error ${error.code}: ${error.message}\n`);
  else terminal.err(`error INTERNAL: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
}

export const asError = (details: ErrorDetails): CrosswireError => new CrosswireError(details);

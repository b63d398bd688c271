// SPDX-License-Identifier: Apache-2.0
// The common part of all verbs that talk to the daemon.

import { type Command, Option } from 'commander';
import { defaultControl, readControl } from '../options/run-options.ts';
import { CrosswireError } from '../model/error.ts';
import { ControlClient } from './control-client.ts';
import type { ExitCode } from './exit-codes.ts';
import { type Format, outputOption } from './output.ts';
import type { Terminal } from './terminal.ts';

export interface Verb {
  readonly terminal: Terminal;
  /** Runs the verb and sets the exit code; an error is shown and becomes an exit code. */
  readonly finish: (work: () => Promise<ExitCode>) => Promise<void>;
}

export interface ClientOptions {
  readonly control: string;
  readonly output: Format;
}

export function addClientOptions(command: Command): Command {
  const control = new Option('--control <socket>', "the daemon's control socket (CROSSWIRE_CONTROL)").default(
    undefined,
    defaultControl,
  );
  return command.addOption(control).addOption(outputOption());
}

export async function withClient<T>(
  given: string | undefined,
  terminal: Terminal,
  work: (client: ControlClient) => Promise<T>,
): Promise<T> {
  const text = given ?? (terminal.environment['CROSSWIRE_CONTROL'] || defaultControl);
  const path = readControl(text);
  if (!('value' in path)) {
    const { reason, hint } = path;
    throw new CrosswireError({
      code: 'OPTION_INVALID',
      operation: 'reading the options',
      subject: '--control',
      reason,
      hint,
    });
  }
  const client = new ControlClient(path.value);
  try {
    return await work(client);
  } finally {
    client.close();
  }
}

export const wirePath = (name: string): string => `/v1/wires/${encodeURIComponent(name)}`;

// SPDX-License-Identifier: Apache-2.0
// crosswire cleanup

import type { Command } from 'commander';
import type { CleanupReport } from '../model/cleanup.ts';
import { CrosswireError } from '../model/error.ts';
import { withNsmNames } from '../options/nsm-run-options.ts';
import { readRunOptions } from '../options/read-options.ts';
import { type RunOptions, runOptionRows } from '../options/run-options.ts';
import { exitCodes } from './exit-codes.ts';
import { type Format, outputOption, render, table } from './output.ts';
import { asError, showError, type Terminal } from './terminal.ts';
import { type Verb, withClient } from './verb.ts';

/** Removes everything with the marks of the node; a dry run only reports it. */
export type CleanUp = (options: RunOptions, dryRun: boolean) => Promise<CleanupReport>;

interface Options {
  readonly dryRun?: boolean;
  readonly output: Format;
  readonly [key: string]: unknown;
}

const examples = `
For a machine that the daemon leaves for good, or left in pieces: interfaces, rules and virtual functions go, and the
journal with them, so that the next daemon begins with nothing. Needs no daemon and no journal; refuses while a daemon of
the node runs. Without the state directory, a virtual function that an application drives is not found.

Examples:
  crosswire cleanup --dry-run
  crosswire cleanup
  crosswire cleanup --state-dir /tmp/second --node second`;

/** The options of the daemon that identify it. */
const keys = ['node', 'stateDirectory', 'control'];

export function addCleanup(program: Command, { terminal, finish }: Verb, cleanUp: CleanUp): void {
  const command = program
    .command('cleanup')
    .summary('remove everything that a daemon has left on this machine')
    .description(
      'Remove everything that carries the marks of this node: interfaces, rules, virtual functions, the journal.',
    )
    .option('--dry-run', 'change nothing; say what is there')
    .addOption(outputOption())
    .addHelpText('after', examples);
  for (const { key, flag, argument = '', environment, meaning, ...row } of runOptionRows) {
    if (!keys.includes(key)) continue;
    const text = `${meaning} (${environment}; default: ${row.defaultInWords ?? row.default})`;
    const option = command.createOption(`${flag} <${argument.toLowerCase()}>`, text);
    option.attributeName = () => key;
    command.addOption(option);
  }
  command.action(({ dryRun = false, output, ...given }: Options) =>
    finish(async () => {
      const own = Object.fromEntries(keys.map((key) => [key, given[key] as string | undefined]));
      const options = readRunOptions(own, withNsmNames(terminal.environment));
      if (!dryRun) await refuseRunning(options, terminal);
      const report = await cleanUp(options, dryRun);
      terminal.out(render(output, report, () => inWords(report)));
      for (const error of report.errors) showError(terminal, asError(error));
      return report.errors.length > 0 ? exitCodes.failed : exitCodes.ok;
    }),
  );
}

/** Asks the daemon itself, because its state directory may have been deleted, and the lock with it. */
async function refuseRunning({ control, node }: RunOptions, terminal: Terminal): Promise<void> {
  const status = await withClient(control, terminal, (client) =>
    client.get<{ node: string; pid: number }>('/v1/status'),
  ).catch(() => undefined);
  if (status?.node !== node) return;
  throw new CrosswireError({
    code: 'DAEMON_RUNNING',
    operation: 'clean up',
    subject: node,
    reason: `the daemon with pid ${status.pid} answers at ${control}`,
    hint: 'stop it first; --dry-run says what is there',
  });
}

function inWords({ node, dryRun, things, errors }: CleanupReport): string {
  if (things.length === 0) return `nothing of the node ${node} is left here\n`;
  const rows = things.map(({ kind, name, place, mark }) => [kind, name, place, mark || '-']);
  const summary = dryRun ? `${things.length} would go` : `${things.length} seen to, ${errors.length} errors`;
  return `${table(['KIND', 'NAME', 'PLACE', 'MARK'], rows)}${summary}\n`;
}

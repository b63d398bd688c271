// SPDX-License-Identifier: Apache-2.0
// crosswire apply -f FILE…

import type { Command } from 'commander';
import { toDocument } from '../wire/wire-document.ts';
import type { ApplyReport } from '../model/status.ts';
import { exitCodes } from './exit-codes.ts';
import { printable, render, table } from './output.ts';
import { readWires } from './read-files.ts';
import { asError, showError } from './terminal.ts';
import { addClientOptions, type ClientOptions, type Verb, withClient } from './verb.ts';

interface Options extends ClientOptions {
  readonly file: readonly string[];
  readonly dryRun?: boolean;
}

const examples = `
Every file is checked before anything is touched. Applying the same file again changes nothing.

Examples:
  crosswire apply -f wires.yaml
  crosswire apply -f wires/ -f more.yaml       every .yaml, .yml and .json file of a directory
  generate-wires | crosswire apply -f -        standard input
  crosswire apply -f wires.yaml --dry-run      only show what would be done`;

export function addApply(program: Command, { terminal, finish }: Verb): void {
  const command = program
    .command('apply')
    .summary('make or change the wires of files')
    .description('Make the wires of files, or change them to what the files say; other wires stay.')
    .requiredOption('-f, --file <file...>', "wire file, directory, or '-' for standard input")
    .option('--dry-run', 'change nothing; say what would be done')
    .addHelpText('after', examples);
  addClientOptions(command).action((options: Options) =>
    finish(async () => {
      const documents = (await readWires(options.file, terminal.stdin)).map(toDocument);
      const path = `/v1/wires?dryRun=${options.dryRun === true}`;
      const { reports } = await withClient(options.control, terminal, (client) =>
        client.put<{ reports: ApplyReport[] }>(path, { wires: documents }),
      );
      terminal.out(render(options.output, reports, () => reportTable(reports, options.dryRun === true)));
      const failed = reports.filter(({ outcome }) => outcome === 'failed');
      for (const { error } of failed) if (error) showError(terminal, asError(error));
      return failed.length > 0 ? exitCodes.failed : exitCodes.ok;
    }),
  );
}

/** `inFull`: lists the actions, as for a dry run; otherwise only their number. -o json always has the actions. */
function reportTable(reports: readonly ApplyReport[], inFull: boolean): string {
  const rows = reports.map(({ name, outcome, actions }) => [name, outcome, String(actions.length)]);
  if (!inFull) return table(['WIRE', 'RESULT', 'ACTIONS'], rows);
  const todo = reports.map(({ name, outcome, actions }) => {
    const lines = actions.map((action, index) => `  ${index + 1}. ${printable(action)}\n`);
    return `${name} would ${outcome === 'failed' ? 'fail' : `be ${outcome}`}\n${lines.join('')}`;
  });
  return todo.join('');
}

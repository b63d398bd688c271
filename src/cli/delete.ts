// SPDX-License-Identifier: Apache-2.0
// crosswire delete NAME… | -f FILE…

import type { Command } from 'commander';
import type { RemoveReport } from '../model/status.ts';
import type { ControlClient } from './control-client.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { render, table } from './output.ts';
import { readWires } from './read-files.ts';
import { asError, showError } from './terminal.ts';
import { addClientOptions, type ClientOptions, type Verb, wirePath, withClient } from './verb.ts';

interface Options extends ClientOptions {
  readonly file?: readonly string[];
  readonly ignoreMissing?: boolean;
}

const examples = `
Examples:
  crosswire delete web-to-fw fw-to-db
  crosswire delete -f wires.yaml               the wires that the file names`;

const atOnce = 32; // a removal mostly waits for the kernel, so that many can run at the same time

export function addDelete(program: Command, { terminal, finish }: Verb): void {
  const command = program
    .command('delete')
    .summary('remove wires')
    .description('Remove wires, by name or as named by files, and everything that was made for them.')
    .argument('[names...]', 'names of wires')
    .option('-f, --file <file...>', "wire file, directory, or '-' for standard input")
    .option('--ignore-missing', 'a wire that is not there is no error')
    .addHelpText('after', examples);
  addClientOptions(command).action((names: string[], options: Options) =>
    finish(async () => {
      const fromFiles = options.file ? (await readWires(options.file, terminal.stdin)).map(({ name }) => name) : [];
      const all = [...new Set([...names, ...fromFiles])];
      if (all.length === 0) command.error('error: name a wire, or a file with -f');
      const reports = await withClient(options.control, terminal, (client) => removeAll(client, all));
      terminal.out(
        render(options.output, reports, () =>
          table(
            ['WIRE', 'RESULT'],
            reports.map(({ name, outcome }) => [name, outcome]),
          ),
        ),
      );
      for (const error of reports.flatMap(({ errors }) => errors)) showError(terminal, asError(error));
      return exitCodeOf(reports, options.ignoreMissing === true);
    }),
  );
}

async function removeAll(client: ControlClient, names: readonly string[]): Promise<RemoveReport[]> {
  const reports: RemoveReport[] = [];
  for (let first = 0; first < names.length; first += atOnce) {
    const group = names.slice(first, first + atOnce);
    reports.push(...(await Promise.all(group.map((name) => client.delete<RemoveReport>(wirePath(name))))));
  }
  return reports;
}

function exitCodeOf(reports: readonly RemoveReport[], ignoreMissing: boolean): ExitCode {
  if (reports.some(({ outcome }) => outcome === 'failed')) return exitCodes.failed;
  const missing = reports.some(({ outcome }) => outcome === 'missing');
  return missing && !ignoreMissing ? exitCodes.notFound : exitCodes.ok;
}

// SPDX-License-Identifier: Apache-2.0
// crosswire run. Its options are the table in src/options/run-options.ts.

import { type Command, Option } from 'commander';
import { type NsmReading, readNsmOptions } from '../options/nsm-options.ts';
import { nsmNamesUsed, withNsmNames } from '../options/nsm-run-options.ts';
import { readRunOptions } from '../options/read-options.ts';
import { type RunOptions, runOptionRows } from '../options/run-options.ts';
import type { PhysicalFunctionSettings } from '../model/device-status.ts';
import type { Wire } from '../wire/wire.ts';
import type { ExitCode } from './exit-codes.ts';
import { readSriovFile, readWires } from './read-files.ts';
import type { Verb } from './verb.ts';

/** The contents of the files that the command line names. */
export interface RunFiles {
  readonly wires: readonly Wire[];
  /** Undefined without --sriov-config-file. */
  readonly physicalFunctions: readonly PhysicalFunctionSettings[] | undefined;
}

/** Runs until it is stopped. The files are read before, so that errors in them change nothing. */
export type RunDaemon = (options: RunOptions, files: RunFiles, nsm: NsmReading) => Promise<ExitCode>;

const examples = `
Every option can be given by an environment variable too; the command line wins. Needs the capabilities CAP_NET_ADMIN and
CAP_SYS_ADMIN. SIGTERM and SIGINT stop it gracefully: kernel wires go on carrying frames, and the next start adopts them.
A second signal ends it at once, as does a time limit: 10 seconds, or 2 minutes with --remove-on-exit.

Examples:
  crosswire run
  crosswire run --wires wires.yaml --remove-on-exit
  crosswire run --state-dir /tmp/second --control /tmp/second.sock --metrics 127.0.0.1:9751 --node second`;

export function addRun(program: Command, { terminal, finish }: Verb, runDaemon: RunDaemon): void {
  const command = program.command('run').summary('be the daemon').description('Run the forwarder, in the foreground.');
  for (const row of runOptionRows) {
    const { key, flag, argument, repeatable, environment, meaning } = row;
    const shown = row.defaultInWords ?? row.default;
    const text = `${meaning} (${environment}; default: ${shown})`;
    const option = new Option(argument ? `${flag} <${argument.toLowerCase()}>` : flag, text);
    if (repeatable) option.argParser((value: string, before: string[] | undefined) => [...(before ?? []), value]);
    option.attributeName = () => key;
    command.addOption(option);
  }
  command.addHelpText('after', examples).action((given: Record<string, string | boolean | string[]>) =>
    finish(async () => {
      const { environment } = terminal;
      const nsm = readNsmOptions(environment);
      const options = readRunOptions(given, withNsmNames(environment), nsmNamesUsed(environment));
      const wires = options.wires.length > 0 ? await readWires(options.wires, terminal.stdin) : [];
      const { sriovConfigFile: file } = options;
      const physicalFunctions = file === '' ? undefined : await readSriovFile(file);
      return runDaemon(options, { wires, physicalFunctions }, nsm);
    }),
  );
}

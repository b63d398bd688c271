// SPDX-License-Identifier: Apache-2.0
// The program. Only this file and main/ connect concrete parts.

import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { type ExitCode, exitCodes } from './cli/exit-codes.ts';
import { runProgram } from './cli/program.ts';
import { readSriovFile } from './cli/read-files.ts';
import type { RunFiles } from './cli/run.ts';
import type { Terminal } from './cli/terminal.ts';
import { NativeDataplane } from './dataplane/dataplane.ts';
import { examineMachine } from './machine/doctor/doctor.ts';
import { findUnderlay } from './machine/underlay.ts';
import { type NsmReading, tunnelAddressOf } from './options/nsm-options.ts';
import { sriovFileOf } from './options/nsm-run-options.ts';
import type { RunOptions } from './options/run-options.ts';

const packageFile = new URL('../package.json', import.meta.url);
const { version } = JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string };

async function run(options: RunOptions, files: RunFiles, nsm: NsmReading): Promise<ExitCode> {
  const { runDaemon } = await import('./main/daemon.ts');
  return runDaemon({ version, options, files, nsm });
}

const terminal: Terminal = {
  out: (words) => void process.stdout.write(words),
  err: (words) => void process.stderr.write(words),
  stdin: async () => text(process.stdin),
  environment: process.env,
};

// A closed pipe ends the program silently, as in `crosswire get wires | head -1`.
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) =>
  process.exit(code === 'EPIPE' ? exitCodes.ok : exitCodes.failed),
);

/** Loaded only when needed, because gRPC is most of the program's modules. */
type MeshPrograms = typeof import('./main/mesh-programs.ts');
const meshPrograms = (): Promise<MeshPrograms> => import('./main/mesh-programs.ts');

let hasRun = false;
/** After a long-running program has been stopped, the process exits, whatever is still open. */
const ran =
  <Given extends unknown[]>(program: (...given: Given) => Promise<ExitCode>) =>
  (...given: Given) => {
    hasRun = true;
    return program(...given);
  };
process.exitCode = await runProgram(process.argv.slice(2), {
  version,
  terminal,
  run: ran(run),
  mesh: {
    request: ran(async (...given: Parameters<MeshPrograms['request']>) => (await meshPrograms()).request(...given)),
    endpoint: ran(async (...given: Parameters<MeshPrograms['endpoint']>) => (await meshPrograms()).endpoint(...given)),
    manager: ran(async (...given: Parameters<MeshPrograms['manager']>) => (await meshPrograms()).manager(...given)),
  },
  cleanup: async (options, dryRun) => (await import('./main/cleanup.ts')).cleanUpMachine(options, dryRun),
  doctor: () =>
    examineMachine({
      loadDataplane: async () => new NativeDataplane(),
      findUnderlay: () => findUnderlay(tunnelAddressOf(process.env)),
      readSriovFile: async () => {
        const name = sriovFileOf(process.env);
        return name === '' ? undefined : readSriovFile(name);
      },
    }),
});
if (hasRun) process.exit();

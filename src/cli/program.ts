// SPDX-License-Identifier: Apache-2.0
// The command line, assembled from one file for each verb.

import { Command, CommanderError } from 'commander';
import { inputErrors } from '../model/error-catalogue.ts';
import { CrosswireError } from '../model/error.ts';
import type { MachineReport } from '../model/machine.ts';
import { addApply } from './apply.ts';
import { addCleanup, type CleanUp } from './cleanup.ts';
import { addDelete } from './delete.ts';
import { addDescribe } from './describe.ts';
import { addDoctor } from './doctor.ts';
import { addEndpoint } from './endpoint.ts';
import { type ExitCode, exitCodes, exitCodesInWords } from './exit-codes.ts';
import { addExplain } from './explain.ts';
import { addGet } from './get.ts';
import { addManager } from './manager.ts';
import type { MeshPrograms } from './mesh-command.ts';
import { addRequest } from './request.ts';
import { addRun, type RunDaemon } from './run.ts';
import { showError, type Terminal } from './terminal.ts';
import type { Verb } from './verb.ts';

export interface Program {
  readonly version: string;
  readonly terminal: Terminal;
  readonly run: RunDaemon;
  readonly mesh: MeshPrograms;
  readonly doctor: () => Promise<MachineReport>;
  readonly cleanup: CleanUp;
}

const description = `Virtual wires between network namespaces, VMs and memif processes.

A wire joins two ends: a frame that enters one leaves at the other. Wires are written in YAML files:

  apiVersion: crosswire.dev/v1alpha1
  kind: Wire
  metadata: { name: a-to-b }
  spec:
    client:   { kernel: { netns: /run/netns/a, interface: wire0, addresses: [10.0.0.1/24] } }
    endpoint: { kernel: { netns: /run/netns/b, interface: wire0, addresses: [10.0.0.2/24] } }`;

const firstSteps = `
First steps:
  crosswire doctor                     can this machine do it?
  crosswire run &                      the daemon
  crosswire apply -f wires.yaml        make wires
  crosswire get wires                  see them

${exitCodesInWords}`;

/** Runs the program and returns its exit code. */
export async function runProgram(
  args: readonly string[],
  { version, terminal, run, mesh, doctor, cleanup }: Program,
): Promise<ExitCode> {
  let exitCode: ExitCode = exitCodes.ok;
  const finish = async (work: () => Promise<ExitCode>): Promise<void> => {
    exitCode = await work();
  };
  const verb: Verb = { terminal, finish };
  const program = new Command('crosswire')
    .description(description)
    .version(version)
    .exitOverride()
    .showHelpAfterError('(see --help)')
    .configureOutput({
      writeOut: terminal.out,
      writeErr: terminal.err,
      getOutHelpWidth: () => 110,
      getErrHelpWidth: () => 110,
    })
    .addHelpText('after', firstSteps);
  addRun(program, verb, run);
  addApply(program, verb);
  addDelete(program, verb);
  addGet(program, verb);
  addDescribe(program, verb);
  addExplain(program, verb);
  addDoctor(program, verb, doctor);
  addCleanup(program, verb, cleanup);
  addRequest(program, verb, mesh.request);
  addEndpoint(program, verb, mesh.endpoint);
  addManager(program, verb, mesh.manager);
  try {
    await program.parseAsync([...args], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    showError(terminal, error);
    return exitCodeOf(error);
  }
  return exitCode;
}

function exitCodeOf(error: unknown): ExitCode {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  const code = first instanceof CrosswireError ? first.code : '';
  if (code === 'DAEMON_UNREACHABLE') return exitCodes.unreachable;
  if (code === 'WIRE_NOT_FOUND') return exitCodes.notFound;
  return Object.hasOwn(inputErrors, code) ? exitCodes.usage : exitCodes.failed;
}

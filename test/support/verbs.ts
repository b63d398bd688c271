// SPDX-License-Identifier: Apache-2.0
// Runs verbs of the command line. In the lab, where a program takes seconds to start (docs/lab.md), they run in the test's process.

import { resolve } from 'node:path';
import { runProgram } from '../../src/cli/program.ts';
import { attempt, type Outcome } from './shell.ts';

export const command = resolve('bin/crosswire');
const here = process.env['CROSSWIRE_TEST_VERBS'] === 'here';

/** Runs a verb that asks a daemon and then ends. */
export async function verb(...args: string[]): Promise<Outcome> {
  return here ? runHere(args) : attempt(command, ...args);
}

async function runHere(args: readonly string[]): Promise<Outcome> {
  const said = { stdout: '', stderr: '' };
  const notHere = async (): Promise<never> => {
    throw new Error(`this takes a process of its own: crosswire ${args.join(' ')}`);
  };
  const terminal = {
    out: (text: string) => void (said.stdout += text),
    err: (text: string) => void (said.stderr += text),
    stdin: async () => '',
    environment: process.env,
  };
  const mesh = { request: notHere, endpoint: notHere, manager: notHere };
  const code = await runProgram(args, { version: '', terminal, run: notHere, mesh, doctor: notHere, cleanup: notHere });
  return { code, ...said };
}

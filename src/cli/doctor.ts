// SPDX-License-Identifier: Apache-2.0
// crosswire doctor

import type { Command } from 'commander';
import type { MachineReport } from '../model/machine.ts';
import { exitCodes } from './exit-codes.ts';
import { type Format, outputOption, render, table } from './output.ts';
import type { Verb } from './verb.ts';

const examples = `
Needs no daemon; run it as the user, and in the container, that the daemon will have. It changes nothing.

Examples:
  crosswire doctor
  crosswire doctor -o json | jq '.findings[] | select(.state != "ok")'`;

export function addDoctor(program: Command, { terminal, finish }: Verb, examine: () => Promise<MachineReport>): void {
  program
    .command('doctor')
    .summary('say what this machine can do, and what to do about what it cannot')
    .description('Say what this machine can and cannot do for the forwarder, and what to do about it.')
    .addOption(outputOption())
    .addHelpText('after', examples)
    .action(({ output }: { output: Format }) =>
      finish(async () => {
        const report = await examine();
        terminal.out(render(output, report, () => reportInWords(report)));
        return report.fit ? exitCodes.ok : exitCodes.failed;
      }),
    );
}

function reportInWords({ fit, findings }: MachineReport): string {
  const rows = findings.map(({ check, state, found }) => [check, state, found]);
  const advice = findings
    .filter((finding) => finding.advice)
    .map(({ check, state, advice: text }) => `  ${check} (${state}): ${text}\n`);
  const verdict = fit
    ? 'This machine can run the forwarder.\n'
    : 'This machine cannot run the forwarder: something essential is missing.\n';
  return `${table(['CHECK', 'STATE', 'FOUND'], rows)}${advice.length > 0 ? `\nWhat to do:\n${advice.join('')}` : ''}\n${verdict}`;
}

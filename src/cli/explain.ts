// SPDX-License-Identifier: Apache-2.0
// crosswire explain wire NAME… | -f FILE…

import type { Command } from 'commander';
import { toDocument } from '../wire/wire-document.ts';
import type { Explanation } from '../model/status.ts';
import { exitCodes } from './exit-codes.ts';
import { printable, render } from './output.ts';
import { readWires } from './read-files.ts';
import { addClientOptions, type ClientOptions, type Verb, wirePath, withClient } from './verb.ts';

interface Options extends ClientOptions {
  readonly file?: readonly string[];
}

const examples = `
Examples:
  crosswire explain wire web-to-fw
  crosswire explain wire -f wires.yaml         wires that do not exist yet`;

export function addExplain(program: Command, { terminal, finish }: Verb): void {
  const explain = program
    .command('explain')
    .summary('say which path a wire takes, and why')
    .description('Say why things are as they are.');
  const command = explain
    .command('wire')
    .alias('wires')
    .description('Say which path a wire takes, why, by which actions it is made, and which of them are still to do.')
    .argument('[names...]', 'names of wires')
    .option('-f, --file <file...>', "wire file, directory, or '-' for standard input")
    .addHelpText('after', examples);
  addClientOptions(command).action((names: string[], options: Options) =>
    finish(async () => {
      const documents = options.file ? (await readWires(options.file, terminal.stdin)).map(toDocument) : [];
      if (names.length + documents.length === 0) command.error('error: name a wire, or a file with -f');
      const explanations = await withClient(options.control, terminal, async (client) => {
        const named = await Promise.all(names.map((name) => client.get<Explanation>(`${wirePath(name)}/explanation`)));
        if (documents.length === 0) return named;
        const answer = await client.post<{ explanations: Explanation[] }>('/v1/explanations', { wires: documents });
        return [...named, ...answer.explanations];
      });
      const value = explanations.length === 1 && !options.file ? explanations[0] : explanations;
      terminal.out(render(options.output, value, () => explanations.map(inWords).join('\n')));
      return exitCodes.ok;
    }),
  );
}

function inWords({ name, path, why, actions, pending }: Explanation): string {
  const list = (lines: readonly string[], mark: (index: number) => string) =>
    lines.map((line, index) => `  ${mark(index)} ${printable(line)}\n`).join('');
  const todo =
    pending.length === 0
      ? 'Still to do: nothing, everything is in place.\n'
      : `Still to do:\n${list(pending, () => '-')}`;
  return (
    `Wire ${name} takes the path ${path}.\n` +
    `Why:\n${list(why, () => '-')}` +
    `Made by these actions, in order:\n${list(actions, (index) => `${index + 1}.`)}${todo}`
  );
}

// SPDX-License-Identifier: Apache-2.0
// The command line of the bench.

import { parseArgs } from 'node:util';

export const usage = `npm run bench [-- NAME… --quick --vpp DIR --compare OLD --fail-below R --sign-key FILE --results DIR]
npm run bench -- compare A B [--fail-below R]
npm run bench -- verify DIR [--trust FILE]

  NAME              a measurement, or what several begin with (kernel, latency); without any, all of them
  --quick           fewer and shorter samples
  --vpp DIR         where a VPP is unpacked, unless it is on PATH
  --compare OLD     an earlier run to show beside this one: its directory or its raw.json
  --fail-below R    exit 3 if a median ratio is less than R times the earlier one, or if none can be compared
  --sign-key FILE   ed25519 private key (PEM) that signs the results (default: this machine's own)
  --results DIR     where the results go (default: bench/results)
  --list            name the measurements
  compare A B       show two runs side by side
  verify DIR        exit 4 unless the results are as they were signed
  --trust FILE      public key (PEM) of the signer to trust (default: this machine's own)`;

export interface RunOptions {
  readonly verb: 'run' | 'list';
  readonly names: readonly string[];
  readonly quick: boolean;
  readonly vpp?: string;
  readonly compare?: string;
  readonly failBelow?: number;
  readonly signKey?: string;
  readonly results: string;
}

export interface CompareOptions {
  readonly verb: 'compare';
  readonly a: string;
  readonly b: string;
  readonly failBelow?: number;
}

export interface VerifyOptions {
  readonly verb: 'verify';
  readonly directory: string;
  readonly trust?: string;
}

export type Options = RunOptions | CompareOptions | VerifyOptions;

export class UsageError extends Error {}

export function readArguments(args: readonly string[], known: readonly string[]): Options {
  const { values, positionals } = parse(args);
  const [verb, ...operands] = positionals;
  if (verb === 'compare') return compareOptions(operands, values);
  if (verb === 'verify') return verifyOptions(operands, values);
  const unknown = positionals.filter((word) => !known.some((name) => isMeant(word, name)));
  if (unknown.length > 0)
    throw new UsageError(`no measurement '${unknown.join("', '")}'; there are ${known.join(', ')}`);
  const gate = failBelow(values);
  if (gate !== undefined && values.compare === undefined)
    throw new UsageError('--fail-below needs --compare: what to hold the run against');
  return {
    verb: values.list ? 'list' : 'run',
    names: known.filter((name) => positionals.some((word) => isMeant(word, name))),
    quick: values.quick ?? false,
    results: values.results ?? 'bench/results',
    ...(values.vpp === undefined ? {} : { vpp: values.vpp }),
    ...(values.compare === undefined ? {} : { compare: values.compare }),
    ...(gate === undefined ? {} : { failBelow: gate }),
    ...(values['sign-key'] === undefined ? {} : { signKey: values['sign-key'] }),
  };
}

/** Whether the word is the name, or the name begins with it: kernel means kernel-tcp and kernel-udp-64. */
function isMeant(word: string, name: string): boolean {
  return name === word || name.startsWith(`${word}-`);
}

type Values = ReturnType<typeof parse>['values'];

function compareOptions([a, b, ...others]: readonly string[], values: Values): CompareOptions {
  if (a === undefined || b === undefined || others.length > 0) throw new UsageError('compare takes two runs');
  const gate = failBelow(values);
  return { verb: 'compare', a, b, ...(gate === undefined ? {} : { failBelow: gate }) };
}

function verifyOptions([directory, ...others]: readonly string[], { trust }: Values): VerifyOptions {
  if (directory === undefined || others.length > 0) throw new UsageError('verify takes one results directory');
  return { verb: 'verify', directory, ...(trust === undefined ? {} : { trust }) };
}

function failBelow(values: Values): number | undefined {
  const text = values['fail-below'];
  if (text === undefined) return undefined;
  if (!(Number(text) > 0)) throw new UsageError('--fail-below takes a ratio, such as 0.95');
  return Number(text);
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        quick: { type: 'boolean' },
        list: { type: 'boolean' },
        vpp: { type: 'string' },
        compare: { type: 'string' },
        'fail-below': { type: 'string' },
        'sign-key': { type: 'string' },
        trust: { type: 'string' },
        results: { type: 'string' },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

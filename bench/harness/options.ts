// SPDX-License-Identifier: Apache-2.0
// The command line of the bench.

import { parseArgs } from 'node:util';

export const usage = `npm run bench [-- NAME… --quick --vpp DIR --compare OLD.json --fail-below R --results DIR]
npm run bench -- compare A B

  NAME              a measurement; without any, all of them
  --quick           fewer and shorter samples
  --vpp DIR         where a VPP is unpacked, unless it is on PATH
  --compare FILE    raw.json of an earlier run
  --fail-below R    with --compare: exit 3 if a median ratio is less than R times the earlier one
  --results DIR     where the results go (default: bench/results)
  --list            name the measurements
  compare A B       show two runs side by side`;

export interface RunOptions {
  readonly verb: 'run' | 'list';
  readonly names: readonly string[];
  readonly quick: boolean;
  readonly vpp?: string;
  readonly compare?: string;
  readonly failBelow?: number;
  readonly results: string;
}

export interface CompareOptions {
  readonly verb: 'compare';
  readonly a: string;
  readonly b: string;
}

export class UsageError extends Error {}

export function readArguments(args: readonly string[], known: readonly string[]): RunOptions | CompareOptions {
  const { values, positionals } = parse(args);
  if (positionals[0] === 'compare') {
    const [, a, b, ...others] = positionals;
    if (a === undefined || b === undefined || others.length > 0) throw new UsageError('compare takes two runs');
    return { verb: 'compare', a, b };
  }
  const unknown = positionals.filter((name) => !known.includes(name));
  if (unknown.length > 0)
    throw new UsageError(`no measurement '${unknown.join("', '")}'; there are ${known.join(', ')}`);
  const failBelow = values['fail-below'] === undefined ? undefined : Number(values['fail-below']);
  if (failBelow !== undefined && !(failBelow > 0)) throw new UsageError('--fail-below takes a ratio, such as 0.95');
  if ((failBelow === undefined) !== (values.compare === undefined))
    throw new UsageError('--fail-below and --compare go together');
  return {
    verb: values.list ? 'list' : 'run',
    names: positionals,
    quick: values.quick ?? false,
    results: values.results ?? 'bench/results',
    ...(values.vpp === undefined ? {} : { vpp: values.vpp }),
    ...(values.compare === undefined ? {} : { compare: values.compare }),
    ...(failBelow === undefined ? {} : { failBelow }),
  };
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
        results: { type: 'string' },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

// SPDX-License-Identifier: Apache-2.0
// Reads the options of `crosswire run` from command line and environment, or reports all errors in them.

import { CrosswireError } from '../model/error.ts';
import { defaultNode, defaultWorkers, type OptionRow, type RunOptions, runOptionRows } from './run-options.ts';

export type GivenOptions = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;
type Environment = Readonly<Record<string, string | undefined>>;

/** `given`: option key → value from the command line. `otherNames`: Crosswire's variable → the NSM variable that set it, for
 *  error messages. Throws an AggregateError of CrosswireErrors. */
export function readRunOptions(
  given: GivenOptions,
  environment: Environment,
  otherNames: Readonly<Record<string, string>> = {},
): RunOptions {
  const errors: CrosswireError[] = [];
  const options: Record<string, unknown> = {};
  for (const row of runOptionRows) {
    const { text, source } = textOf(row, given[row.key], environment);
    const reading = row.read(text);
    if ('value' in reading) options[row.key] = Object.freeze(reading.value);
    else errors.push(refusal(otherNames[source] ?? source, reading.reason, reading.hint));
  }
  if (errors.length === 0) errors.push(...contradictions(options as unknown as RunOptions));
  if (errors.length > 0) throw new AggregateError(errors, 'the options cannot be used');
  if (options['node'] === '') options['node'] = defaultNode(String(options['stateDirectory']));
  if (options['workers'] === 0) options['workers'] = defaultWorkers(options['workerCpus'] as readonly number[]);
  return Object.freeze(options) as unknown as RunOptions;
}

function contradictions({ workers, workerCpus }: RunOptions): CrosswireError[] {
  if (workerCpus.length === 0 || workerCpus.length >= workers) return [];
  const reason = `names ${workerCpus.length} CPUs for ${workers} workers`;
  return [refusal('--worker-cpus', reason, 'name one for each worker, or leave --workers away')];
}

function refusal(subject: string, reason: string, hint?: string): CrosswireError {
  return new CrosswireError({ code: 'OPTION_INVALID', operation: 'reading the options', subject, reason, hint });
}

function textOf(
  row: OptionRow,
  given: GivenOptions[string],
  environment: Environment,
): { text: string; source: string } {
  if (given !== undefined) return { text: Array.isArray(given) ? given.join(':') : String(given), source: row.flag };
  const fromEnvironment = environment[row.environment];
  if (fromEnvironment !== undefined && fromEnvironment !== '')
    return { text: fromEnvironment, source: row.environment };
  return { text: row.default, source: `the default of ${row.flag}` };
}

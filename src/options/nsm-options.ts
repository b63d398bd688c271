// SPDX-License-Identifier: Apache-2.0
// Reads the options of a forwarder of NSM from the environment, according to the table in nsm-option-rows.ts.

import { isIP } from 'node:net';
import { CrosswireError } from '../model/error.ts';
import { nearest } from '../model/nearest.ts';
import { isMapping } from '../wire/values/problems.ts';
import { type IdentityOptions, type NsmOptions, notDone, nsmOptionRows, withoutEffect } from './nsm-option-rows.ts';
import { isTrue, managerVariable, runOptionNames } from './nsm-run-options.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface NsmReading {
  /** Undefined if the forwarder is in no mesh. */
  readonly options: NsmOptions | undefined;
  /** One sentence for each variable that nothing reads or that asks for something Crosswire does not do. */
  readonly warnings: readonly string[];
}

/** NSM_TUNNEL_IP for programs that are not in a mesh, like doctor; '' if it is unset or invalid. */
export function tunnelAddressOf(environment: Environment): string {
  const address = environment['NSM_TUNNEL_IP'] ?? '';
  return isIP(address) ? address : '';
}

/** Throws an AggregateError of CrosswireErrors. */
export function readNsmOptions(environment: Environment): NsmReading {
  if (!environment[managerVariable]) return { options: undefined, warnings: [] };
  const errors: CrosswireError[] = [];
  const options: Record<string, unknown> = {};
  const warnings = [...unknownVariables(environment), ...unmetVariables(environment)];
  for (const row of nsmOptionRows) {
    const { key, environment: variable, default: usual } = row;
    const reading = row.read(environment[variable] || usual);
    if ('value' in reading) options[key] = Object.freeze(merged(options[key], reading.value));
    if ('value' in reading && reading.warning) warnings.push(`${variable}: ${reading.warning}`);
    if ('reason' in reading) errors.push(refusal(variable, reading.reason, reading.hint));
  }
  errors.push(...identityProblems(options as unknown as NsmOptions));
  if (errors.length > 0) throw new AggregateError(errors, 'the environment cannot be used');
  return { options: Object.freeze(options) as unknown as NsmOptions, warnings: warnings };
}

/** Some options have several variables. */
function merged(before: unknown, value: unknown): unknown {
  return isMapping(before) && isMapping(value) ? { ...before, ...value } : value;
}

function identityProblems({ workloadApi, certificateFile, keyFile, bundleFile }: IdentityOptions): CrosswireError[] {
  if (workloadApi) return [];
  if (!certificateFile) {
    const hint = 'a mesh needs an identity: that, or CROSSWIRE_TLS_CERTIFICATE';
    return [refusal('SPIFFE_ENDPOINT_SOCKET', 'is not set', hint)];
  }
  const beside = { CROSSWIRE_TLS_KEY: keyFile, CROSSWIRE_TLS_BUNDLE: bundleFile };
  return Object.entries(beside)
    .filter(([, file]) => !file)
    .map(([variable]) => refusal(variable, 'is not set', 'CROSSWIRE_TLS_CERTIFICATE needs its key and a bundle'));
}

/** The identity options of the other programs of a mesh (client, endpoint, manager). Adds problems to `errors`. */
export function readIdentity(environment: Environment, errors: CrosswireError[]): IdentityOptions {
  const keys: readonly string[] = ['workloadApi', 'certificateFile', 'keyFile', 'bundleFile'];
  const rows = nsmOptionRows.filter(({ key }) => keys.includes(key));
  const read = rows.map(({ key, environment: variable }) => [key, environment[variable] ?? '']);
  const identity = Object.fromEntries(read) as IdentityOptions;
  errors.push(...identityProblems(identity));
  return identity;
}

function unmetVariables(environment: Environment): string[] {
  if (!isTrue(environment['PROMETHEUS'])) return [];
  const set = Object.entries(notDone).filter(([variable]) => environment[variable]);
  return set.map(([variable, words]) => `${variable}: ${words}; restrict access to the metrics address`);
}

function unknownVariables(environment: Environment): string[] {
  const known = [...nsmOptionRows, ...runOptionNames].map((one) => one.environment).concat(withoutEffect);
  return Object.keys(environment)
    .filter((variable) => variable.startsWith('NSM_') && !known.includes(variable))
    .map((variable) => {
      const meant = nearest(variable, known);
      return `${variable} is no variable of a forwarder${meant ? `; did you mean ${meant}?` : ''}`;
    });
}

export function refusal(subject: string, reason: string, hint?: string): CrosswireError {
  return new CrosswireError({ code: 'OPTION_INVALID', operation: 'reading the environment', subject, reason, hint });
}

// SPDX-License-Identifier: Apache-2.0
// The common part of request, endpoint and manager. Their options are the table in src/options/mesh-options.ts.

import { type Command, Option } from 'commander';
import {
  type EndpointOptions,
  type ManagerOptions,
  type MeshVerb,
  meshOptionRows,
  type RequestOptions,
} from '../options/mesh-options.ts';
import type { ConnectionReport } from '../model/connection-report.ts';
import type { ExitCode } from './exit-codes.ts';

/** Each program runs until it is stopped. */
export interface MeshPrograms {
  readonly request: (options: RequestOptions, onConnected: (report: ConnectionReport) => void) => Promise<ExitCode>;
  readonly endpoint: (
    options: EndpointOptions,
    onRegistered: () => void,
    onChange: (change: string, report: ConnectionReport) => void,
  ) => Promise<ExitCode>;
  readonly manager: (options: ManagerOptions, onServing: () => void) => Promise<ExitCode>;
}

export const identityInWords = `The identity comes from the SPIFFE Workload API (SPIFFE_ENDPOINT_SOCKET), or from the PEM files that
CROSSWIRE_TLS_CERTIFICATE, CROSSWIRE_TLS_KEY and CROSSWIRE_TLS_BUNDLE name.`;

export function addMeshOptions(command: Command, verb: MeshVerb): Command {
  for (const row of meshOptionRows.filter(({ verbs }) => verbs.includes(verb))) {
    const { key, flag, argument, repeatable, environment, meaning } = row;
    const usual = row.defaultInWords ?? row.default;
    const about = [...(environment ? [environment] : []), ...(usual === undefined ? [] : [`default: ${usual}`])];
    const text = about.length > 0 ? `${meaning} (${about.join('; ')})` : meaning;
    const option = new Option(`${flag} <${argument.toLowerCase()}>`, text);
    if (repeatable) option.argParser((value: string, before: string[] | undefined) => [...(before ?? []), value]);
    option.attributeName = () => key;
    command.addOption(option);
  }
  return command;
}

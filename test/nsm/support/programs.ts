// SPDX-License-Identifier: Apache-2.0
// NSM's programs as test peers: each in a namespace of the test, with an environment of its own.

import type { Namespace } from '../../support/namespace.ts';
import { findProgram } from '../../support/requires.ts';
import { Background, patience } from '../../support/shell.ts';

/** Nothing else is inherited: an NSM_ variable of the caller's shell would change the test. */
export type Environment = Readonly<Record<string, string>>;

/** NSM_DIAL_TIMEOUT of managers and forwarders: NSM's own default on a usual machine. */
export const dialTimeout = `${750 * patience}ms`;

export function startPeer(
  program: string,
  where: Namespace,
  directory: string,
  environment: Environment,
  wrap: readonly string[] = [],
): Background {
  const path = findProgram(program);
  if (path === undefined) throw new Error(`${program} is missing`);
  const [outer, args] = where.inside('env', ...wrap, path); // env(1) becomes the program, under the same pid
  const env = { PATH: process.env['PATH'] ?? '', TMPDIR: directory, NSM_LOG_LEVEL: 'INFO', ...environment };
  return new Background(outer, args, { cwd: directory, env });
}

/** The host of an address with a port. */
export function inUrl(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

/** How often the program's output has the text. */
export function count(peer: Background, text: string): number {
  return peer.output.split(text).length - 1;
}

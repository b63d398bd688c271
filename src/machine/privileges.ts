// SPDX-License-Identifier: Apache-2.0
// Checks the capabilities that the daemon needs, before the daemon changes anything.

import { CrosswireError } from '../model/error.ts';

const required: Readonly<Record<string, string>> = {
  CAP_NET_ADMIN: 'to make and change interfaces',
  CAP_SYS_ADMIN: "to enter workloads' network namespaces",
};

export function requireCapabilities(held: readonly string[]): void {
  const missing = Object.keys(required).filter((name) => !held.includes(name));
  if (missing.length === 0) return;
  throw new CrosswireError({
    code: 'CAPABILITY_MISSING',
    operation: 'starting the daemon',
    subject: missing.join(', '),
    reason: `needed ${missing.map((name) => required[name]).join(', and ')}`,
    hint: 'run as root, or give the container these capabilities; `crosswire doctor` shows them all',
  });
}

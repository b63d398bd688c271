// SPDX-License-Identifier: Apache-2.0
// A connection that its caller stops refreshing ends when the caller's token expires (networkservicemesh/sdk,
// pkg/networkservice/common/timeout).

import { CrosswireError } from '../../model/error.ts';
import type { Connection } from '../generated/connection.ts';
import { previousSegment } from '../path/path-segments.ts';

/** setTimeout(3) of Node takes a signed 32-bit number of milliseconds. */
const longestTimer = 0x7fff_ffff;

export class Timeouts {
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #onExpired: (id: string) => void;

  constructor(onExpired: (id: string) => void) {
    this.#onExpired = onExpired;
  }

  arm(id: string, milliseconds: number): void {
    this.disarm(id);
    const delay = Math.min(Math.max(milliseconds, 0), longestTimer);
    const timer = setTimeout(() => {
      this.#timers.delete(id);
      this.#onExpired(id);
    }, delay);
    this.#timers.set(id, timer.unref());
  }

  disarm(id: string): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
  }

  stop(): void {
    for (const id of this.#timers.keys()) this.disarm(id);
  }
}

/** When the caller's token expires. Throws CONNECTION_PATH. */
export function expiryOf(connection: Connection): Date {
  const expires = previousSegment(connection)?.expires;
  if (expires) return expires;
  throw new CrosswireError({
    code: 'CONNECTION_PATH',
    operation: 'find out when the connection expires',
    subject: `connection ${connection.id}`,
    reason: "the caller's path segment does not say when its token expires",
    hint: 'callers send nsm-client-token-expires with every call',
  });
}

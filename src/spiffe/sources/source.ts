// SPDX-License-Identifier: Apache-2.0
// What all sources of an identity have in common: they keep the last good identity, notify listeners, and log what they took
// and what they could not take.

import { isDeepStrictEqual } from 'node:util';
import type { CrosswireError } from '../../model/error.ts';
import type { Log } from '../../model/log.ts';
import type { Identity, IdentitySource } from '../identity.ts';

export abstract class KeepingSource implements IdentitySource {
  protected readonly log: Log;
  #identity: Identity | undefined;
  #problem: CrosswireError | undefined;
  readonly #listeners = new Set<(identity: Identity) => void>();

  constructor(log: Log) {
    this.log = log;
  }

  abstract start(): void;
  abstract close(): void;

  current(): Identity | undefined {
    return this.#identity;
  }

  problem(): CrosswireError | undefined {
    return this.#problem;
  }

  ready(signal: AbortSignal): Promise<Identity> {
    if (this.#identity) return Promise.resolve(this.#identity);
    return new Promise((resolve, reject) => {
      const aborted = () => {
        forget();
        reject(signal.reason as Error);
      };
      const forget = this.onChange((identity) => {
        forget();
        signal.removeEventListener('abort', aborted);
        resolve(identity);
      });
      if (signal.aborted) aborted();
      else signal.addEventListener('abort', aborted, { once: true });
    });
  }

  onChange(listener: (identity: Identity) => void): () => void {
    // A new function each time, so that a listener may be added twice.
    const own = (identity: Identity) => listener(identity);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  protected take(identity: Identity): void {
    this.#problem = undefined;
    // SPIRE's agent sends everything again when any part changes, and connections compare their identity with the current one.
    if (isDeepStrictEqual(identity, this.#identity)) return;
    this.log.info({ spiffeId: identity.spiffeId, notAfter: identity.notAfter }, 'identity taken');
    this.#identity = identity;
    for (const listener of this.#listeners) listener(identity);
  }

  protected fail(error: CrosswireError): void {
    this.#problem = error;
    if (this.#identity)
      this.log.warn({ error, notAfter: this.#identity.notAfter }, 'no new identity; the last is kept');
    else this.log.warn({ error }, 'no identity yet; waiting');
  }
}

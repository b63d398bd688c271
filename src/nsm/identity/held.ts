// SPDX-License-Identifier: Apache-2.0
// The newest identity of a source, and who waits for it.

import type { CrosswireError } from '../../model/error.ts';
import type { Identity } from './identity.ts';

export class HeldIdentity {
  #identity: Identity | undefined;
  #problem: CrosswireError | undefined;
  readonly #listeners = new Set<(identity: Identity) => void>();

  get identity(): Identity | undefined {
    return this.#identity;
  }

  get problem(): CrosswireError | undefined {
    return this.#problem;
  }

  /** A source that fails keeps what it had. */
  fail(problem: CrosswireError): void {
    this.#problem = problem;
  }

  set(identity: Identity): void {
    this.#identity = identity;
    this.#problem = undefined;
    for (const listener of this.#listeners) listener(identity);
  }

  onChange(listener: (identity: Identity) => void): () => void {
    // A function of its own, so that one listener may be added twice.
    const own = (identity: Identity) => listener(identity);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
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
}

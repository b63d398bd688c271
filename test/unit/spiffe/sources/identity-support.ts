// SPDX-License-Identifier: Apache-2.0

import { EventEmitter, once } from 'node:events';
import type { CrosswireError } from '../../../../src/model/error.ts';
import type { Identity, IdentitySource } from '../../../../src/spiffe/identity.ts';

export interface Entry {
  readonly message: string;
  /** The code of the reported problem; empty without one. */
  readonly code: string;
  readonly reason: string;
}

/** Collects the log of an identity source, and waits for entries. */
export class IdentityLog {
  readonly entries: Entry[] = [];
  readonly #events = new EventEmitter();

  readonly info = (fields: object, message: string) => this.#add(fields, message);
  readonly warn = (fields: object, message: string) => this.#add(fields, message);
  readonly error = (fields: object, message: string) => this.#add(fields, message);

  async until(matches: (entry: Entry) => boolean): Promise<void> {
    while (!this.entries.some(matches)) await once(this.#events, 'entry');
  }

  #add(fields: { readonly error?: CrosswireError }, message: string): void {
    this.entries.push({ message, code: fields.error?.code ?? '', reason: fields.error?.reason ?? '' });
    this.#events.emit('entry');
  }
}

export function nextIdentity(source: IdentitySource): Promise<Identity> {
  return new Promise((resolve) => {
    const forget = source.onChange((identity) => {
      forget();
      resolve(identity);
    });
  });
}

// SPDX-License-Identifier: Apache-2.0
// One thing at a time for each wire; different wires do not wait for each other.

import { CrosswireError } from '../model/error.ts';

/** A caller waits for its answer before it asks again; only an unfriendly one has more. */
const mostWaiting = 16;

export class Turns {
  readonly #last = new Map<string, { tail: Promise<unknown>; waiting: number }>();

  async take<T>(id: string, work: () => Promise<T>): Promise<T> {
    const line = this.#last.get(id) ?? { tail: Promise.resolve(), waiting: 0 };
    if (line.waiting >= mostWaiting) throw tooMany(id);
    line.waiting += 1;
    this.#last.set(id, line);
    const turn = line.tail.then(work);
    line.tail = turn.catch(() => {});
    try {
      return await turn;
    } finally {
      line.waiting -= 1;
      if (line.waiting === 0) this.#last.delete(id);
    }
  }
}

function tooMany(id: string): CrosswireError {
  return new CrosswireError({
    code: 'TOO_MANY_CALLS',
    operation: 'queue a call',
    subject: id,
    reason: `${mostWaiting} calls are waiting for it already`,
    hint: 'wait for an answer before asking again',
  });
}

// SPDX-License-Identifier: Apache-2.0
// One call at a time for each connection; different connections do not wait for each other (networkservicemesh/sdk,
// pkg/networkservice/common/begin, which serializes by connection id).

import { CrosswireError } from '../../model/error.ts';

/** A caller waits for an answer before it calls again; more calls than this are an attack. */
const longestQueue = 16;

export class Serializer {
  readonly #queues = new Map<string, { last: Promise<unknown>; length: number }>();

  /** Rejects with TOO_MANY_CALLS, or as the work does. */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const queue = this.#queues.get(key) ?? { last: Promise.resolve(), length: 0 };
    if (queue.length >= longestQueue) throw tooMany(key);
    queue.length += 1;
    this.#queues.set(key, queue);
    const running = queue.last.then(work);
    queue.last = running.catch(() => {});
    try {
      return await running;
    } finally {
      queue.length -= 1;
      if (queue.length === 0) this.#queues.delete(key);
    }
  }
}

function tooMany(key: string): CrosswireError {
  return new CrosswireError({
    code: 'TOO_MANY_CALLS',
    operation: 'queue a call',
    subject: key,
    reason: `${longestQueue} calls are waiting for it already`,
    hint: 'wait for an answer before asking again',
  });
}

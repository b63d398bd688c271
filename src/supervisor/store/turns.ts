// SPDX-License-Identifier: Apache-2.0
// Long work in short turns of the event loop, so that whoever else has something to do waits for milliseconds only.

import { setImmediate as letOthersRun } from 'node:timers/promises';

const longest = 4; // milliseconds

export class Turns {
  #began = performance.now();
  #next: Promise<void> | undefined;

  /** To be awaited wherever the work can rest: goes on at once, or in the next turn if this one has been long. */
  async pass(): Promise<void> {
    if (performance.now() - this.#began < longest) return;
    this.#next ??= this.#begin();
    await this.#next;
  }

  async #begin(): Promise<void> {
    await letOthersRun();
    this.#began = performance.now();
    this.#next = undefined;
  }
}

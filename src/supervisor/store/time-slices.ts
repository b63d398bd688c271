// SPDX-License-Identifier: Apache-2.0
// Long work in short slices of the event loop's time, so that everything else waits for milliseconds only.

import { setImmediate as letOthersRun } from 'node:timers/promises';

const longest = 4; // milliseconds

export class TimeSlices {
  #began = performance.now();
  #next: Promise<void> | undefined;

  /** To be awaited where the work can pause. Returns at once within the current slice, otherwise in the next one. */
  async next(): Promise<void> {
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

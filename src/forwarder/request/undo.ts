// SPDX-License-Identifier: Apache-2.0
// Undoes the steps of a Request that failed, the last one first.

export class Undo {
  readonly #steps: (() => Promise<void> | void)[] = [];

  push(step: () => Promise<void> | void): void {
    this.#steps.push(step);
  }

  /** Goes on past failures: the caller is told why the Request failed. */
  async run(): Promise<void> {
    for (const step of this.#steps.splice(0).reverse()) {
      try {
        await step();
      } catch {}
    }
  }
}

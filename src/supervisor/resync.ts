// SPDX-License-Identifier: Apache-2.0
// The periodic comparison with what exists. Every pass checks the namespaces. A full pass reads every interface, and is made so
// rarely that it takes less than one part in two hundred of the time.

const restAfterWork = 200;

export class Resync {
  readonly #seconds: number;
  readonly #pass: (quick: boolean) => Promise<void>;
  readonly #onFailed: (error: unknown) => void;
  #timer: NodeJS.Timeout | undefined;
  #fullAt = 0;

  constructor(seconds: number, pass: (quick: boolean) => Promise<void>, onFailed: (error: unknown) => void) {
    this.#seconds = seconds;
    this.#pass = pass;
    this.#onFailed = onFailed;
  }

  start(): void {
    this.#timer = setTimeout(() => void this.#turn(), this.#seconds * 1000).unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  async #turn(): Promise<void> {
    const began = performance.now();
    const quick = began < this.#fullAt;
    await this.#pass(quick).catch(this.#onFailed);
    const ended = performance.now();
    if (!quick) this.#fullAt = ended + (ended - began) * restAfterWork;
    if (this.#timer) this.start();
  }
}

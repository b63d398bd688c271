// SPDX-License-Identifier: Apache-2.0
// Pings that run beside a test, and the time without answers.

import { once } from 'node:events';
import type { Namespace } from '../../support/namespace.ts';
import { Background } from '../../support/shell.ts';

export interface PingReport {
  readonly sent: number;
  readonly received: number;
  /** Longest time between two answers, in milliseconds. A ping whose packets wait for a neighbour sends no more. */
  readonly gap: number;
}

export class Pings {
  readonly #process: Background;
  /** In seconds (ping -D). */
  readonly #answers: number[] = [];
  /** As far as its output has been read. */
  #read = 0;

  /** One ping each `interval` milliseconds until `stop`. */
  constructor(from: Namespace, to: string, interval = 10) {
    const [program, args] = from.inside('ping', '-n', '-D', '-i', String(interval / 1000), to);
    this.#process = new Background(program, args);
    this.#process.child.on('said', () => this.#keepUp());
  }

  /** Resolves after the next `count` answers; rejects if none comes for a minute. */
  async answered(count = 1): Promise<void> {
    const wanted = this.#answers.length + count;
    await this.#until(() => this.#answers.length >= wanted);
  }

  /** Resolves when so many seconds lie between the first answer and the last. A busy machine answers fewer in the time. */
  async answeredFor(seconds: number): Promise<void> {
    await this.#until(() => (this.#answers.at(-1) ?? 0) - (this.#answers[0] ?? 0) >= seconds);
  }

  async stop(): Promise<PingReport> {
    await this.#process.stop('SIGINT');
    const summary = /(\d+) packets transmitted, (\d+) received/.exec(this.#process.output.slice(-2000));
    if (!summary) throw new Error(this.#process.output.slice(-2000));
    const pauses = this.#answers.slice(1).map((time, index) => time - (this.#answers[index] as number));
    const gap = Math.round(1000 * pauses.reduce((longest, pause) => Math.max(longest, pause), 0));
    return { sent: Number(summary[1]), received: Number(summary[2]), gap };
  }

  /** Ends the pings if they run: a failed test does not stop them. */
  async abandon(): Promise<void> {
    await this.#process.stop('SIGKILL');
  }

  async #until(isEnough: () => boolean): Promise<void> {
    const { child } = this.#process;
    while (!isEnough()) {
      if (child.exitCode !== null) throw new Error(this.#process.output);
      await once(child, 'said', { signal: AbortSignal.timeout(60_000) }).catch(() => {
        throw new Error(`no answer in a minute:\n${this.#process.output.slice(-2000)}`);
      });
    }
  }

  #keepUp(): void {
    const { output } = this.#process;
    const end = output.lastIndexOf('\n') + 1;
    const lines = output.slice(this.#read, end).matchAll(/^\[(\d+\.\d+)\] \d+ bytes from/gm);
    for (const [, time] of lines) this.#answers.push(Number(time));
    this.#read = end;
  }
}

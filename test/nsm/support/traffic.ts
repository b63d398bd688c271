// SPDX-License-Identifier: Apache-2.0
// Pings that run beside a test, and how long there was no answer.

import type { Namespace } from '../../support/namespace.ts';
import { Background } from '../../support/shell.ts';

export interface PingReport {
  readonly sent: number;
  readonly received: number;
  /** Longest time between two answers. */
  readonly gap: number;
}

export class Pings {
  readonly #process: Background;

  /** One ping each `interval` milliseconds until `stop`. */
  constructor(from: Namespace, to: string, interval = 10) {
    const [program, args] = from.inside('ping', '-n', '-D', '-i', String(interval / 1000), to);
    this.#process = new Background(program, args);
  }

  /** Resolves after the next `count` answers. */
  async answered(count = 1): Promise<void> {
    const wanted = this.#answers().length + count;
    while (this.#answers().length < wanted) {
      if (this.#process.child.exitCode !== null) throw new Error(this.#process.output);
      await Promise.race([
        new Promise((resolve) => this.#process.child.once('said', resolve)),
        new Promise((_, reject) =>
          setTimeout(reject, 60_000, new Error(`no answer in a minute:\n${this.#process.output.slice(-2000)}`)).unref(),
        ),
      ]);
    }
  }

  async stop(): Promise<PingReport> {
    await this.#process.stop('SIGINT');
    const summary = /(\d+) packets transmitted, (\d+) received/.exec(this.#process.output);
    if (!summary) throw new Error(this.#process.output.slice(-2000));
    const times = this.#answers();
    const gap = Math.max(0, ...times.slice(1).map((time, index) => time - (times[index] as number)));
    return { sent: Number(summary[1]), received: Number(summary[2]), gap: Math.round(gap * 1000) };
  }

  /** Seconds, of each answer (ping -D). */
  #answers(): number[] {
    return Array.from(this.#process.output.matchAll(/^\[(\d+\.\d+)\] \d+ bytes from/gm), ([, time]) => Number(time));
  }
}

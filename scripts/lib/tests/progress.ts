// SPDX-License-Identifier: Apache-2.0
// Shows what runs: on a terminal one line that is rewritten each second, elsewhere a line now and then.

import { stripVTControlCharacters } from 'node:util';
import type { Command } from './command.ts';

const secondsOnTerminal = 1;
const secondsElsewhere = 30;

export function elapsed(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** `3:10  unit tests 0:40 › its last line | …`, as long as `columns` allow. */
export function statusLine(since: number, running: Iterable<Command>, now: number, columns: number): string {
  const all = [...running];
  const share = Math.floor((columns - 8) / Math.max(1, all.length));
  const parts = all.map((one) => {
    const said = stripVTControlCharacters(one.lastLine).trim();
    return `${one.stage.title} ${elapsed(now - one.begun)}${said ? ` › ${said}` : ''}`.slice(0, share - 3);
  });
  return `${elapsed(now - since)}  ${parts.join(' | ')}`.slice(0, columns);
}

export class Progress {
  readonly running = new Set<Command>();
  readonly begun = Date.now();
  readonly #out: NodeJS.WriteStream;
  readonly #timer: NodeJS.Timeout;

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
    this.#timer = setInterval(() => this.#show(), 1000 * (out.isTTY ? secondsOnTerminal : secondsElsewhere));
  }

  /** A line that stays. */
  say(text: string): void {
    this.#clear();
    this.#out.write(text.endsWith('\n') ? text : `${text}\n`);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#clear();
  }

  #show(): void {
    this.#clear();
    const line = statusLine(this.begun, this.running, Date.now(), this.#out.isTTY ? this.#out.columns - 1 : 240);
    if (this.running.size > 0) this.#out.write(this.#out.isTTY ? line : `   ${line}\n`);
  }

  #clear(): void {
    if (this.#out.isTTY) this.#out.write('\r\x1b[2K');
  }
}

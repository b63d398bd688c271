// SPDX-License-Identifier: Apache-2.0
// Workloads that are gone. The descriptor that we hold of a namespace keeps it alive, its interfaces too, so no interface
// tells that the last process and the last mount of it went: only a look at all of them does.

import { parseInodeUrl } from '../nsm/mechanisms/inode-url.ts';

export interface DeparturesParts {
  /** The namespaces that processes and mounts refer to; descriptors do not count. */
  readonly list: () => Promise<readonly { readonly device: number; readonly inode: number }[]>;
  /** The `inode://` urls of all namespaces in use. */
  readonly inUse: () => Iterable<string>;
  readonly onGone: (url: string) => void;
  readonly onFailed: (error: unknown) => void;
}

/** Between two looks; one of `/proc` serves all connections, and without connections there is none. Sooner where a
 *  connection is new, for only what was seen can be missed, or where something was missed. */
const milliseconds = { rest: 1_000, longestRest: 5_000, soon: 100 };
/** With many processes a look takes longer, so rests do too: looks get one part in two hundred of the time. It takes longer
 *  on a busy machine too, which must not keep the dead alive: hence the longest rest. */
const restAfterWork = 200;
/** A look at `/proc` is no snapshot: a process that forks and ends meanwhile is missed, but hardly twice. */
const missesForGone = 2;

export class Departures {
  readonly #parts: DeparturesParts;
  /** How often in a row each was missed since it was seen. What was never seen is out of sight, not gone: processes of
   *  another PID namespace are not in our `/proc`. */
  readonly #misses = new Map<string, number>();
  #started = false;
  #looking = false;
  #hasNew = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: DeparturesParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#started = true;
    this.#lookIn(milliseconds.rest);
  }

  stop(): void {
    this.#started = false;
    clearTimeout(this.#timer);
  }

  /** There are new namespaces. */
  arrived(): void {
    if (this.#hasNew) return;
    this.#hasNew = true;
    if (!this.#looking) this.#lookIn(milliseconds.soon);
  }

  /** One look. */
  async scan(): Promise<void> {
    const urls = new Set(this.#parts.inUse());
    for (const url of this.#misses.keys()) if (!urls.has(url)) this.#misses.delete(url);
    if (urls.size === 0) return;
    const there = new Set((await this.#parts.list()).map(keyOf));
    for (const url of urls) {
      const file = parseInodeUrl(url);
      const misses = file && there.has(keyOf(file)) ? 0 : (this.#misses.get(url) ?? Number.NaN) + 1;
      if (Number.isNaN(misses)) continue;
      this.#misses.set(url, misses);
      if (misses === missesForGone) this.#parts.onGone(url);
    }
  }

  #lookIn(delay: number): void {
    if (!this.#started) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#turn(), delay).unref();
  }

  async #turn(): Promise<void> {
    this.#looking = true;
    this.#hasNew = false;
    const began = performance.now();
    await this.scan().catch(this.#parts.onFailed);
    const rest = Math.max(milliseconds.rest, (performance.now() - began) * restAfterWork);
    this.#looking = false;
    const missed = [...this.#misses.values()].includes(1);
    this.#lookIn(missed || this.#hasNew ? milliseconds.soon : Math.min(rest, milliseconds.longestRest));
  }
}

function keyOf({ device, inode }: { device: number; inode: number }): string {
  return `${device}/${inode}`;
}

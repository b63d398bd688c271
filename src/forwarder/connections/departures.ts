// SPDX-License-Identifier: Apache-2.0
// Notices workloads that are gone. Our descriptor of a namespace keeps the namespace and its interfaces alive, so no
// interface tells when the last process and mount are gone: only a scan of all of them does.

import { type FileNumbers, parseInodeUrl } from '../../nsm/inode-url.ts';

export interface DeparturesParts {
  /** The namespaces that processes and mounts refer to; descriptors do not count. */
  readonly list: () => Promise<readonly FileNumbers[]>;
  /** The `inode://` urls of the namespaces of all connections. */
  readonly inUse: () => Iterable<string>;
  readonly onGone: (url: string) => void;
  readonly onFailed: (error: unknown) => void;
}

/** Between two scans of `/proc`; one scan serves all connections, and without connections there is none. The next scan
 *  comes soon after a new connection, since only a namespace that was seen once can be missed, and after a miss. */
const milliseconds = { rest: 1_000, longestRest: 5_000, soon: 100 };
/** A scan takes longer with many processes, and so does the rest: scans get one part in two hundred of the time. A scan
 *  takes longer on a busy machine too, which must not delay the end of dead connections: hence the longest rest. */
const restAfterWork = 200;
/** A scan of `/proc` is no snapshot: a process that forks and ends meanwhile is missed, but hardly twice. */
const missesForGone = 2;

export class Departures {
  readonly #parts: DeparturesParts;
  /** How many scans in a row missed each url since it was seen. A namespace that was never seen is not gone but out of
   *  sight: processes of another PID namespace are not in our `/proc`. */
  readonly #misses = new Map<string, number>();
  #started = false;
  #scanning = false;
  #hasNew = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: DeparturesParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#started = true;
    this.#scanIn(milliseconds.rest);
  }

  stop(): void {
    this.#started = false;
    clearTimeout(this.#timer);
  }

  /** There are new namespaces. */
  arrived(): void {
    if (this.#hasNew) return;
    this.#hasNew = true;
    if (!this.#scanning) this.#scanIn(milliseconds.soon);
  }

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

  #scanIn(delay: number): void {
    if (!this.#started) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#scanAndRest(), delay).unref();
  }

  async #scanAndRest(): Promise<void> {
    this.#scanning = true;
    this.#hasNew = false;
    const began = performance.now();
    await this.scan().catch(this.#parts.onFailed);
    const rest = Math.max(milliseconds.rest, (performance.now() - began) * restAfterWork);
    this.#scanning = false;
    const missed = [...this.#misses.values()].includes(1);
    this.#scanIn(missed || this.#hasNew ? milliseconds.soon : Math.min(rest, milliseconds.longestRest));
  }
}

function keyOf({ device, inode }: FileNumbers): string {
  return `${device}/${inode}`;
}

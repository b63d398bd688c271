// SPDX-License-Identifier: Apache-2.0
// Whether the other side of a connection answers pings (sdk-kernel, pkg/kernel/tools/heal): from each own address to each
// address of the other side in the same family.

import type { Connection } from '../../nsm/generated/connection.ts';
import { mechanismType } from '../../nsm/names.ts';

/** Pings one pair of addresses until the returned function is called. */
export type Pinger = (
  way: { readonly netns: string; readonly from: string; readonly to: string; readonly intervalMilliseconds: number },
  news: { readonly onAnswer: () => void; readonly onEnd: (reason: string, possible: boolean) => void },
) => () => void;

export interface LivenessSettings {
  readonly netns: string;
  readonly intervalMilliseconds: number;
  /** How long one pair of addresses may be without an answer. */
  readonly timeoutMilliseconds: number;
}

export interface LivenessParts {
  readonly pinger: Pinger;
  /** Called once for each period of silence. */
  readonly onSilence: (from: string, to: string) => void;
  /** That pair of addresses cannot be pinged. */
  readonly onImpossible: (reason: string) => void;
}

export class Liveness {
  readonly #settings: LivenessSettings;
  readonly #parts: LivenessParts;
  readonly #pairs = new Map<string, Pair>();

  constructor(settings: LivenessSettings, parts: LivenessParts) {
    this.#settings = settings;
    this.#parts = parts;
  }

  /** Undefined: there is nothing to ping. */
  get alive(): boolean | undefined {
    const pairs = [...this.#pairs.values()].filter(({ possible }) => possible);
    return pairs.length === 0 ? undefined : pairs.every(({ silent }) => !silent);
  }

  /** Pings the addresses of this connection from now on; pings between the same addresses go on. */
  watch(connection: Connection): void {
    const wanted = new Map(pairsOf(connection).map((pair) => [pair.join(' '), pair]));
    for (const [key, pair] of this.#pairs) {
      if (wanted.has(key)) continue;
      pair.stop();
      this.#pairs.delete(key);
    }
    for (const [key, [from, to]] of wanted) {
      const pair = this.#pairs.get(key) ?? new Pair(this.#settings, this.#parts, from, to);
      this.#pairs.set(key, pair);
      pair.begin();
    }
  }

  stop(): void {
    for (const pair of this.#pairs.values()) pair.stop();
    this.#pairs.clear();
  }
}

class Pair {
  silent = false;
  possible = true;
  readonly #settings: LivenessSettings;
  readonly #parts: LivenessParts;
  readonly #from: string;
  readonly #to: string;
  #patience: NodeJS.Timeout | undefined;
  #again: NodeJS.Timeout | undefined;
  #end: (() => void) | undefined;

  constructor(settings: LivenessSettings, parts: LivenessParts, from: string, to: string) {
    this.#settings = settings;
    this.#parts = parts;
    this.#from = from;
    this.#to = to;
  }

  /** Begins or goes on; a silent pair gets time to answer again. */
  begin(): void {
    if (!this.possible) return;
    if (!this.#end) this.#ping();
    if (this.silent || !this.#patience) this.#wait();
  }

  stop(): void {
    clearTimeout(this.#patience);
    clearTimeout(this.#again);
    this.#end?.();
  }

  #wait(): void {
    this.silent = false;
    clearTimeout(this.#patience);
    this.#patience = setTimeout(() => {
      this.silent = true;
      this.#parts.onSilence(this.#from, this.#to);
    }, this.#settings.timeoutMilliseconds);
  }

  /** Pings that ended, as when the interface went away, begin again: the interface may come back. */
  #ping(): void {
    const { netns, intervalMilliseconds } = this.#settings;
    const onEnd = (reason: string, possible: boolean) => {
      if (possible) {
        this.#again = setTimeout(() => this.#ping(), intervalMilliseconds);
        return;
      }
      this.possible = false;
      clearTimeout(this.#patience);
      this.#parts.onImpossible(reason);
    };
    const way = { netns, from: this.#from, to: this.#to, intervalMilliseconds };
    this.#end = this.#parts.pinger(way, { onAnswer: () => this.#wait(), onEnd });
  }
}

function pairsOf({ mechanism, context }: Connection): [from: string, to: string][] {
  if (mechanism?.type !== mechanismType.kernel) return [];
  const { srcIpAddrs = [], dstIpAddrs = [] } = context?.ipContext ?? {};
  const address = (prefix: string) => prefix.replace(/\/.*/, '');
  const isIPv6 = (prefix: string) => prefix.includes(':');
  return srcIpAddrs.flatMap((from) =>
    dstIpAddrs.filter((to) => isIPv6(from) === isIPv6(to)).map((to): [string, string] => [address(from), address(to)]),
  );
}

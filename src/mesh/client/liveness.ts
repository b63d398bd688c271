// SPDX-License-Identifier: Apache-2.0
// Whether the other side of a connection answers pings, as NSM's client asks all the time (sdk-kernel,
// pkg/kernel/tools/heal): from each own address to each of the other side's of the same family.

import type { Connection } from '../../nsm/generated/connection.ts';
import { mechanismType } from '../../nsm/names.ts';

/** Pings one way until the function that it returns is called. */
export type Pinger = (
  way: { readonly netns: string; readonly from: string; readonly to: string; readonly intervalMilliseconds: number },
  news: { readonly onAnswer: () => void; readonly onEnd: (reason: string, possible: boolean) => void },
) => () => void;

export interface LivenessSettings {
  readonly netns: string;
  readonly intervalMilliseconds: number;
  /** One way may be without an answer for so long. */
  readonly timeoutMilliseconds: number;
}

export interface LivenessParts {
  readonly pinger: Pinger;
  /** Once for each time that there is silence. */
  readonly onSilence: (from: string, to: string) => void;
  /** Nothing is known of that way. */
  readonly onImpossible: (reason: string) => void;
}

export class Liveness {
  readonly #settings: LivenessSettings;
  readonly #parts: LivenessParts;
  readonly #ways = new Map<string, Way>();

  constructor(settings: LivenessSettings, parts: LivenessParts) {
    this.#settings = settings;
    this.#parts = parts;
  }

  /** Undefined: there is nothing to ping. */
  get alive(): boolean | undefined {
    const ways = [...this.#ways.values()].filter(({ possible }) => possible);
    return ways.length === 0 ? undefined : ways.every(({ silent }) => !silent);
  }

  /** From now on those of this connection; what was pinged already is not begun anew. */
  watch(connection: Connection): void {
    const wanted = new Map(pairsOf(connection).map((pair) => [pair.join(' '), pair]));
    for (const [key, way] of this.#ways) {
      if (wanted.has(key)) continue;
      way.stop();
      this.#ways.delete(key);
    }
    for (const [key, [from, to]] of wanted) {
      const way = this.#ways.get(key) ?? new Way(this.#settings, this.#parts, from, to);
      this.#ways.set(key, way);
      way.begin();
    }
  }

  stop(): void {
    for (const way of this.#ways.values()) way.stop();
    this.#ways.clear();
  }
}

class Way {
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

  /** Or goes on; one that was silent has time to answer again. */
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

  /** What ended by itself, as without the interface, is begun anew: it may come back. */
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

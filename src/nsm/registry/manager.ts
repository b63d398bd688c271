// SPDX-License-Identifier: Apache-2.0
// The connection to the manager: registration, queries and the descriptors that come with their answers.

import type { Dialer, NextHop } from '../../grpc/calls.ts';

/** Of setTimeout: 24.8 days. */
const longestTimer = 2 ** 31 - 1;

export class Manager {
  readonly #url: string;
  readonly #dialer: Dialer;
  readonly #dialMilliseconds: number;
  #connection: Promise<NextHop> | undefined;
  #spiffeId: string | undefined;
  /** Outdated ones. */
  readonly #former = new Set<NextHop>();

  constructor(url: string, dialer: Dialer, dialMilliseconds: number) {
    this.#url = url;
    this.#dialer = dialer;
    this.#dialMilliseconds = dialMilliseconds;
  }

  /** The connection there is, or a new one where it is gone or outdated. */
  async connect(signal: AbortSignal): Promise<NextHop> {
    const connection = this.#connection ?? this.#dial();
    this.#connection = connection;
    signal.throwIfAborted();
    const nextHop = await connection;
    if (!nextHop.outdated) return nextHop;
    if (this.#connection === connection) this.#leave(nextHop);
    return this.connect(signal);
  }

  /** Of the one that was last there. */
  isKnownAs(spiffeId: string): boolean {
    return spiffeId === this.#spiffeId;
  }

  close(): void {
    for (const nextHop of this.#former) nextHop.close();
    this.#connection?.then((nextHop) => nextHop.close()).catch(() => {});
    this.#connection = undefined;
  }

  /** What is under way there may end, until no token for it is good any more. */
  #leave(nextHop: NextHop): void {
    this.#connection = undefined;
    this.#former.add(nextHop);
    const left = nextHop.peer.self.notAfter.getTime() - Date.now();
    const timer = setTimeout(() => nextHop.close(), Math.min(left, longestTimer)).unref();
    const forget = () => {
      clearTimeout(timer);
      this.#former.delete(nextHop);
    };
    nextHop.closed.then(forget, forget);
  }

  /** Several callers may wait for it, so it is nobody's to abort. */
  #dial(): Promise<NextHop> {
    const dialling = this.#dialer.dial(this.#url, AbortSignal.timeout(this.#dialMilliseconds));
    const forget = () => {
      if (this.#connection === dialling) this.#connection = undefined;
    };
    dialling.then(({ closed, peer }) => {
      this.#spiffeId = peer.spiffeId;
      return closed.then(forget, forget);
    }, forget);
    return dialling;
  }
}

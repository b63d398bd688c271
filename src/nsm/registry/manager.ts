// SPDX-License-Identifier: Apache-2.0
// The gRPC connection to the manager, for registration, queries and the descriptors that come with their answers.

import type { Dialer, NextHop } from '../../grpc/calls.ts';

/** setTimeout's limit: 24.8 days. */
const longestTimer = 2 ** 31 - 1;

export class Manager {
  readonly #url: string;
  readonly #dialer: Dialer;
  readonly #dialMilliseconds: number;
  #connection: Promise<NextHop> | undefined;
  #spiffeId: string | undefined;
  /** Outdated connections whose calls may still end. */
  readonly #former = new Set<NextHop>();

  constructor(url: string, dialer: Dialer, dialMilliseconds: number) {
    this.#url = url;
    this.#dialer = dialer;
    this.#dialMilliseconds = dialMilliseconds;
  }

  /** The current connection, or a new one where that is gone or outdated. */
  async connect(signal: AbortSignal): Promise<NextHop> {
    const connection = this.#connection ?? this.#dial();
    this.#connection = connection;
    signal.throwIfAborted();
    const nextHop = await connection;
    if (!nextHop.outdated) return nextHop;
    if (this.#connection === connection) this.#leave(nextHop);
    return this.connect(signal);
  }

  /** Whether that was the manager's SPIFFE ID when last connected. */
  isKnownAs(spiffeId: string): boolean {
    return spiffeId === this.#spiffeId;
  }

  close(): void {
    for (const nextHop of this.#former) nextHop.close();
    this.#connection?.then((nextHop) => nextHop.close()).catch(() => {});
    this.#connection = undefined;
  }

  /** Open calls may end while tokens for the connection are valid. */
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

  /** Several callers may wait for the same dial, so no caller's signal aborts it. */
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

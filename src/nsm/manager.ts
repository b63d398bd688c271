// SPDX-License-Identifier: Apache-2.0
// The one connection to the manager: registration, queries and the descriptors that come with their answers.

import type { Dialer, NextHop } from './transport/calls.ts';

export class Manager {
  readonly #url: string;
  readonly #dialer: Dialer;
  readonly #dialMilliseconds: number;
  #connection: Promise<NextHop> | undefined;
  #spiffeId: string | undefined;

  constructor(url: string, dialer: Dialer, dialMilliseconds: number) {
    this.#url = url;
    this.#dialer = dialer;
    this.#dialMilliseconds = dialMilliseconds;
  }

  /** The connection there is, or a new one where it is gone. */
  async connect(signal: AbortSignal): Promise<NextHop> {
    const connection = this.#connection ?? this.#dial();
    this.#connection = connection;
    signal.throwIfAborted();
    return connection;
  }

  /** Of the one that was last there. */
  isKnownAs(spiffeId: string): boolean {
    return spiffeId === this.#spiffeId;
  }

  close(): void {
    this.#connection?.then((nextHop) => nextHop.close()).catch(() => {});
    this.#connection = undefined;
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

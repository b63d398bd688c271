// SPDX-License-Identifier: Apache-2.0
// Whether the daemon serves everything that it is configured to serve. The last part to start, the first to stop.

import type { Part } from './part.ts';

export class Readiness implements Part {
  /** The forwarder of a mesh, which starts at once but serves only when it has an identity. */
  mesh: { readonly serving: boolean } | undefined;
  readonly #onReady: () => void;
  #started = false;

  constructor(onReady: () => void) {
    this.#onReady = onReady;
  }

  get ready(): boolean {
    return this.#started && (this.mesh?.serving ?? true);
  }

  start(): void {
    this.#started = true;
    this.#onReady();
  }

  stop(): void {
    this.#started = false;
  }
}

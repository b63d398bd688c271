// SPDX-License-Identifier: Apache-2.0
// The files that peers sent for one connection, one descriptor for each inode (networkservicemesh/sdk,
// pkg/networkservice/common/mechanisms/recvfd).

import type { Peer } from '../../grpc/calls.ts';
import type { HeldFile } from '../../grpc/unix-sockets.ts';

export class HeldFiles {
  readonly #files = new Map<string, HeldFile>();

  /** Waits for the descriptor; undefined over TCP, which carries none. */
  async take(url: string, { descriptors }: Peer, signal: AbortSignal): Promise<HeldFile | undefined> {
    const held = this.#files.get(url);
    if (held || !descriptors) return held;
    const file = await descriptors.receive(url, signal);
    this.#files.set(url, file);
    return file;
  }

  /** A file that no peer sent. */
  add(url: string, file: HeldFile): void {
    this.#files.get(url)?.close();
    this.#files.set(url, file);
  }

  get(url: string): HeldFile | undefined {
    return this.#files.get(url);
  }

  /** Closes all others. */
  keepOnly(urls: readonly (string | undefined)[]): void {
    for (const [url, file] of this.#files) {
      if (urls.includes(url)) continue;
      file.close();
      this.#files.delete(url);
    }
  }

  close(): void {
    this.keepOnly([]);
  }
}

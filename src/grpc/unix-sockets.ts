// SPDX-License-Identifier: Apache-2.0
// Unix stream sockets whose descriptors are kept (unix(7), SCM_RIGHTS). dataplane/ has the implementation.

import type { Duplex } from 'node:stream';

/** A file that a peer sent, held open by us until closed. */
export interface HeldFile {
  /** `/proc/self/fd/N`: usable wherever a path is; the descriptor is O_PATH, so only by path (open(2)). */
  readonly path: string;
  close(): void;
}

export interface UnixConnection {
  /** The bytes. Destroying it ends the connection and closes every descriptor in its table. */
  readonly socket: Duplex;
  /** Opens `path` with O_PATH and queues the descriptor to go with, or before, the next byte written.
   *  Returns `inode://<st_dev>/<st_ino>`, both decimal. */
  send(path: string): Promise<string>;
  /** A duplicate of the descriptor that the peer sent for `inode://dev/ino`; waits for it until the signal aborts.
   *  Rejects with FILE_NOT_SENT. */
  receive(inodeUrl: string, signal: AbortSignal): Promise<HeldFile>;
}

export interface UnixListener {
  /** No more connections; those there are stay. Removes the socket file. */
  close(): Promise<void>;
}

export interface UnixSockets {
  /** Makes the directory, removes a stale socket, listens, mode 0777 as NSM's peers expect. */
  listen(path: string, onConnection: (connection: UnixConnection) => void): Promise<UnixListener>;
  /** `path` may be `/proc/self/fd/N` of a held socket file. */
  dial(path: string, signal: AbortSignal): Promise<UnixConnection>;
}

// SPDX-License-Identifier: Apache-2.0
// Unix stream sockets that keep the descriptors sent over them (unix(7), SCM_RIGHTS); implemented in dataplane/.

import type { Duplex } from 'node:stream';

/** A file that a peer sent; open until closed here. */
export interface HeldFile {
  /** `/proc/self/fd/N`, for use wherever a path is: the descriptor itself is O_PATH (open(2)). */
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
  /** Takes no more connections; open ones stay. Removes the socket file. */
  close(): Promise<void>;
}

export interface UnixSockets {
  /** Makes the directory, removes a stale socket and listens, with mode 0777 as NSM's peers expect. */
  listen(path: string, onConnection: (connection: UnixConnection) => void): Promise<UnixListener>;
  /** `path` may be `/proc/self/fd/N` of a held socket file. */
  dial(path: string, signal: AbortSignal): Promise<UnixConnection>;
}

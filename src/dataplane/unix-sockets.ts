// SPDX-License-Identifier: Apache-2.0
// Unix stream sockets whose descriptors are kept, over the addon (native/os/stream_sockets.hpp): Node's own would read
// them with read(2), which drops the descriptors.

import { closeSync } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import { Socket } from 'node:net';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CrosswireError } from '../model/error.ts';
import { loadAddon, type NativeUnixSocketsHandle } from './loader.ts';

export interface HeldDescriptor {
  readonly path: string;
  close(): void;
}

const backlogFullMs = 20;

/** The waiters of one connection: resolved when the file of that name has come, rejected when it cannot come any more. */
interface Waiter {
  readonly arrived: () => void;
  readonly lost: (reason: string) => void;
}

export class NativeUnixConnection {
  readonly socket: Socket;
  readonly #native: NativeUnixSocketsHandle;
  readonly #id: number;
  readonly #waiters = new Map<string, Set<Waiter>>();
  /** Why no file can come any more, for waiters that ask after the end. */
  #ended: string | undefined;

  constructor(native: NativeUnixSocketsHandle, id: number, fd: number) {
    this.#native = native;
    this.#id = id;
    this.socket = new Socket({ fd, readable: true, writable: true });
    this.socket.on('error', () => {}); // readers get the error, and 'close' reports it
  }

  async send(path: string): Promise<string> {
    return this.#native.send(this.#id, path);
  }

  async receive(inodeUrl: string, signal: AbortSignal): Promise<HeldDescriptor> {
    const url = canonical(inodeUrl);
    let fd = this.#taken(url);
    while (fd === undefined) {
      await this.#arrival(url, signal);
      fd = this.#taken(url);
    }
    return held(fd);
  }

  /** The addon has kept a file of that name. */
  arrived(url: string): void {
    for (const waiter of this.#waiters.get(url) ?? []) waiter.arrived();
  }

  ended(reason: string): void {
    this.#ended ??= reason || 'the connection was closed';
    for (const waiters of this.#waiters.values()) for (const waiter of waiters) waiter.lost(this.#ended);
    if (reason) this.socket.destroy(connectionEnded(reason));
  }

  #taken(url: string): number | undefined {
    try {
      const fd = this.#native.received(this.#id, url);
      return fd < 0 ? undefined : fd;
    } catch (cause) {
      if (!(cause instanceof CrosswireError) || cause.code !== 'SOCKET_CLOSED') throw cause;
      throw notSent(url, cause.reason, cause);
    }
  }

  async #arrival(url: string, signal: AbortSignal): Promise<void> {
    if (this.#ended !== undefined) throw notSent(url, this.#ended);
    const waiters = this.#waiters.get(url) ?? new Set();
    this.#waiters.set(url, waiters);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter = { arrived: resolve, lost: (reason: string) => reject(notSent(url, reason)) };
    const abort = () => reject(notSent(url, 'it did not come in time', signal.reason));
    waiters.add(waiter);
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
    try {
      await promise;
    } finally {
      signal.removeEventListener('abort', abort);
      waiters.delete(waiter);
      if (waiters.size === 0) this.#waiters.delete(url);
    }
  }
}

export class NativeUnixListener {
  readonly #close: () => Promise<void>;

  constructor(close: () => Promise<void>) {
    this.#close = close;
  }

  async close(): Promise<void> {
    await this.#close();
  }
}

/** Implements the interface of src/grpc/unix-sockets.ts. */
export class NativeUnixSockets {
  readonly #connections = new Map<number, NativeUnixConnection>();
  readonly #listeners = new Map<number, (connection: NativeUnixConnection) => void>();
  #made: NativeUnixSocketsHandle | undefined;

  async listen(path: string, onConnection: (connection: NativeUnixConnection) => void): Promise<NativeUnixListener> {
    await mkdir(dirname(path), { recursive: true });
    const listener = await this.#native.listen(path);
    this.#listeners.set(listener, onConnection);
    await chmod(path, 0o777);
    return new NativeUnixListener(async () => {
      this.#listeners.delete(listener);
      await this.#native.closeListener(listener);
    });
  }

  async dial(path: string, signal: AbortSignal): Promise<NativeUnixConnection> {
    for (;;) {
      signal.throwIfAborted();
      try {
        const { connection, fd } = await this.#native.dial(path);
        return this.#connect(connection, fd);
      } catch (error) {
        if (!isBacklogFull(error)) throw error;
        await delay(backlogFullMs, undefined, { signal });
      }
    }
  }

  /** Ends every connection and listener. Final. */
  async close(): Promise<void> {
    this.#listeners.clear();
    await this.#made?.close();
  }

  #connect(id: number, fd: number): NativeUnixConnection {
    const connection = new NativeUnixConnection(this.#native, id, fd);
    this.#connections.set(id, connection);
    connection.socket.once('close', () => {
      this.#connections.delete(id);
      connection.ended('');
    });
    return connection;
  }

  get #native(): NativeUnixSocketsHandle {
    this.#made ??= new (loadAddon().UnixSockets)({
      accepted: (listener, id, fd) => {
        const take = this.#listeners.get(listener);
        if (take) take(this.#connect(id, fd));
        else closeSync(fd);
      },
      file: (id, url) => this.#connections.get(id)?.arrived(url),
      ended: (id, reason) => this.#connections.get(id)?.ended(reason),
    });
    return this.#made;
  }
}

/** Decimal numbers without leading zeros, as the addon writes them. */
function canonical(url: string): string {
  const match = /^inode:\/\/(\d{1,20})\/(\d{1,20})$/.exec(url);
  if (!match) throw notSent(url, 'it is not of the form inode://DEVICE/INODE');
  return `inode://${BigInt(match[1] as string)}/${BigInt(match[2] as string)}`;
}

function held(fd: number): HeldDescriptor {
  let open = true;
  return {
    path: `/proc/self/fd/${fd}`,
    close: () => {
      if (open) closeSync(fd);
      open = false;
    },
  };
}

// connect(2) on a non-blocking unix socket, when the listener's queue is full.
const isBacklogFull = (error: unknown) => error instanceof CrosswireError && error.errno === 11;

function notSent(url: string, reason: string, cause?: unknown): CrosswireError {
  return new CrosswireError({
    code: 'FILE_NOT_SENT',
    operation: 'wait for a file from a peer',
    subject: url,
    reason,
    hint: 'the peer must send the descriptor over the same unix socket',
    cause,
  });
}

function connectionEnded(reason: string): CrosswireError {
  return new CrosswireError({ code: 'SOCKET_CLOSED', operation: 'carry a unix connection', subject: '', reason });
}

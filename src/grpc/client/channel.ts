// SPDX-License-Identifier: Apache-2.0
// A grpc-js channel over an existing TLS stream. grpc-js opens the connection of a channel itself, before it asks the channel's
// credentials to secure it: so it connects to a dummy socket of ours, and the credentials give it the stream instead.

import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import {
  CallCredentials,
  ChannelCredentials,
  type ChannelOptions,
  Client,
  connectivityState,
  type experimental,
} from '@grpc/grpc-js';

/** grpc-go closes a connection that pings more often than every five minutes. */
const channelOptions: ChannelOptions = {
  'grpc.enable_channelz': 0,
  'grpc.enable_retries': 0,
  'grpc.enable_http_proxy': 0,
  'grpc.service_config_disable_resolution': 1,
  'grpc.use_local_subchannel_pool': 1,
  'grpc.max_receive_message_length': 4 << 20,
  'grpc.client_idle_timeout_ms': 0x7fff_ffff,
  'grpc.keepalive_time_ms': 360_000,
  'grpc.keepalive_timeout_ms': 20_000,
};

/** The dummy socket; abstract, so it needs no file. */
export class Rendezvous {
  #server: Server | undefined;
  #target: Promise<string> | undefined;

  target(): Promise<string> {
    this.#target ??= this.#listen();
    return this.#target;
  }

  close(): void {
    this.#server?.close();
  }

  async #listen(): Promise<string> {
    const path = `\0crosswire-${randomUUID()}`;
    this.#server = createServer((socket) => socket.on('error', () => {}).destroy()).unref();
    this.#server.listen({ path });
    await once(this.#server, 'listening');
    return `unix:${path}`;
  }
}

/** Rejects when the server does not speak HTTP/2, or when the signal aborts. */
export async function openChannel(target: string, stream: TLSSocket, signal: AbortSignal): Promise<Client> {
  const client = new Client(target, new GivenStream(stream), channelOptions);
  const close = () => client.close();
  signal.addEventListener('abort', close);
  try {
    await ready(client);
    signal.throwIfAborted();
    return client;
  } catch (error) {
    client.close();
    throw error;
  } finally {
    signal.removeEventListener('abort', close);
  }
}

/** Resolves when the channel has left READY: its stream is gone, or its server takes no more calls. */
export async function leftReady(client: Client): Promise<void> {
  await changed(client, connectivityState.READY);
}

async function ready(client: Client): Promise<void> {
  const channel = client.getChannel();
  await changed(client, channel.getConnectivityState(true));
  while (channel.getConnectivityState(false) === connectivityState.CONNECTING)
    await changed(client, connectivityState.CONNECTING);
  if (channel.getConnectivityState(false) !== connectivityState.READY)
    throw new Error('the connection ended before HTTP/2 was agreed on');
}

async function changed(client: Client, from: connectivityState): Promise<void> {
  const channel = client.getChannel();
  if (channel.getConnectivityState(false) !== from) return;
  await new Promise<void>((resolve) => channel.watchConnectivityState(from, Number.POSITIVE_INFINITY, () => resolve()));
}

/** Hands over the stream once; the channel never reconnects. */
class GivenStream extends ChannelCredentials {
  #stream: TLSSocket | undefined;

  constructor(stream: TLSSocket) {
    super();
    this.#stream = stream;
  }

  override _isSecure(): boolean {
    return true;
  }

  override _equals(other: ChannelCredentials): boolean {
    return this === other;
  }

  override _createSecureConnector(
    _target: unknown,
    _options: unknown,
    callCredentials?: CallCredentials,
  ): experimental.SecureConnector {
    return {
      connect: async (unused: Socket) => {
        unused.destroy();
        const socket = this.#stream;
        this.#stream = undefined;
        if (socket === undefined || socket.destroyed) throw new Error('the connection is gone');
        return { socket, secure: true };
      },
      waitForReady: () => Promise.resolve(),
      getCallCredentials: () => callCredentials ?? CallCredentials.createEmpty(),
      destroy: () => {},
    };
  }
}

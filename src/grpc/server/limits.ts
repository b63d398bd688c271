// SPDX-License-Identifier: Apache-2.0
// Limits on what a caller may use. NSM's own peers need a small part of them.

import type { ServerOptions } from '@grpc/grpc-js';
import type { ReceiptLimits } from './receipts.ts';

export interface ServerLimits extends ReceiptLimits {
  /** Verified connections; more are refused. */
  readonly connections: number;
  /** Verified connections of one identity other than our manager, so that there is room for others. */
  readonly connectionsOfOne: number;
  /** Connections in their TLS handshake; a new one beyond that drops the oldest, so that nobody can block others. */
  readonly handshakes: number;
  readonly handshakeMilliseconds: number;
  /** Concurrent calls on one connection. */
  readonly streams: number;
  /** A connection takes no new calls after this age, and open calls end after the grace at the latest. A rotated
   *  certificate is out of use after both. */
  readonly connectionAgeMilliseconds: number;
  readonly connectionGraceMilliseconds: number;
  /** A connection without calls is closed after this time. */
  readonly idleMilliseconds: number;
}

const minute = 60_000;

/** NSM's messages have some kilobytes; ten thousand excluded prefixes take a quarter of a megabyte.
 *
 *  When the stream of a watcher breaks, NSM's client heals. Each refresh brings a new stream on a new connection within
 *  minutes, so the age must be well above that. */
export const serverLimits: ServerLimits = {
  connections: 2_000,
  connectionsOfOne: 128,
  handshakes: 200,
  handshakeMilliseconds: 10_000,
  streams: 128,
  messageBytes: 512 << 10,
  bytesOfOne: 64 << 20,
  bytesOfAll: 256 << 20,
  connectionAgeMilliseconds: 30 * minute,
  connectionGraceMilliseconds: 30 * minute,
  idleMilliseconds: 5 * minute,
};

/** Node's HTTP/2 itself limits header lists: 64 KiB and 128 pairs. */
export function serverOptions(limits: ServerLimits): ServerOptions {
  return {
    'grpc.enable_channelz': 0,
    'grpc.max_receive_message_length': limits.messageBytes,
    'grpc.max_concurrent_streams': limits.streams,
    'grpc.max_connection_age_ms': limits.connectionAgeMilliseconds,
    'grpc.max_connection_age_grace_ms': limits.connectionGraceMilliseconds,
    'grpc.max_connection_idle_ms': limits.idleMilliseconds,
    'grpc.keepalive_time_ms': minute,
    'grpc.keepalive_timeout_ms': 20_000,
  };
}

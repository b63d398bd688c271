// SPDX-License-Identifier: Apache-2.0
// What one peer may cost us. NSM's own peers need a small part of it.

import type { ChannelOptions, ServerOptions } from '@grpc/grpc-js';
import type { ReceiptLimits } from './receipts.ts';

export interface ServerLimits extends ReceiptLimits {
  /** Verified connections; one more is refused. */
  readonly connections: number;
  /** Of these, those of one identity that is not our manager's: others must find room. */
  readonly connectionsOfOne: number;
  /** Connections in their TLS handshake; for one more the oldest is dropped, so that nobody can hold the door shut. */
  readonly handshakes: number;
  readonly handshakeMilliseconds: number;
  /** Calls at once on one connection. */
  readonly streams: number;
  /** No new calls on a connection after this time; calls that are open end after the grace at the latest. A rotated
   *  certificate is gone after both. */
  readonly connectionAgeMilliseconds: number;
  readonly connectionGraceMilliseconds: number;
  /** Without any call. */
  readonly idleMilliseconds: number;
}

const minute = 60_000;

/** A message of NSM has some kilobytes; ten thousand excluded prefixes are a quarter of a megabyte.
 *
 *  A watcher's stream that breaks makes NSM's client heal, and each refresh of a connection brings a new stream over a
 *  new connection within minutes: the age must be well above that. */
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

/** Header lists are bounded by Node's HTTP/2 itself: 64 KiB and 128 pairs. */
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

/** grpc-go ends a connection that pings more often than every five minutes. */
export const clientOptions: ChannelOptions = {
  'grpc.enable_channelz': 0,
  'grpc.enable_retries': 0,
  'grpc.enable_http_proxy': 0,
  'grpc.service_config_disable_resolution': 1,
  'grpc.use_local_subchannel_pool': 1,
  'grpc.max_receive_message_length': 4 << 20,
  'grpc.client_idle_timeout_ms': 0x7fff_ffff,
  'grpc.keepalive_time_ms': 6 * minute,
  'grpc.keepalive_timeout_ms': 20_000,
};

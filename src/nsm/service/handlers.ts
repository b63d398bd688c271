// SPDX-License-Identifier: Apache-2.0
// The three services of a forwarder as grpc-js calls them.

import {
  type Metadata,
  type ServerUnaryCall,
  type ServerWritableStream,
  type StatusObject,
  status,
} from '@grpc/grpc-js';
import { CrosswireError } from '../../model/error.ts';
import type { ConnectionEvent, MonitorConnectionServer, MonitorScopeSelector } from '../generated/connection.ts';
import { HealthCheckResponse_ServingStatus, type HealthServer } from '../generated/health.ts';
import type { NetworkServiceServer } from '../generated/networkservice.ts';
import { metadataKey } from '../names.ts';
import type { Peer } from '../transport/calls.ts';
import type { NetworkService } from './network-service.ts';
import type { IncomingCall, Token } from './parts.ts';

type AnyCall = ServerUnaryCall<unknown, unknown> | ServerWritableStream<unknown, unknown>;
export type CallerOf = (call: AnyCall) => Peer;

/** A caller that gives no deadline gets that of NSM's client, and none gets more than the longest (milliseconds). */
const usualDeadline = 15_000;
const longestDeadline = 120_000;
/** Events that a watcher may leave unread. */
const mostUnread = 1_000;

export const servedNames = ['', 'networkservice.NetworkService', 'connection.MonitorConnection'];

export function networkServiceHandlers(service: NetworkService, callerOf: CallerOf): NetworkServiceServer {
  const answer = async <Request, Response>(
    call: ServerUnaryCall<Request, Response>,
    work: (request: Request, incoming: IncomingCall) => Promise<Response>,
    callback: (error: Partial<StatusObject> | null, response?: Response) => void,
  ) => {
    try {
      const incoming = incomingCall(call as ServerUnaryCall<unknown, unknown>, callerOf);
      callback(null, await work(call.request, incoming));
    } catch (error) {
      callback(statusOf(error));
    }
  };
  return {
    request: (call, callback) => void answer(call, (request, incoming) => service.request(request, incoming), callback),
    close: (call, callback) =>
      void answer(
        call,
        async (connection, incoming) => {
          await service.close(connection, incoming);
          return {};
        },
        callback,
      ),
  };
}

export function monitorHandlers(service: NetworkService): MonitorConnectionServer {
  return {
    monitorConnections: (call: ServerWritableStream<MonitorScopeSelector, ConnectionEvent>) => {
      const ended = new AbortController();
      const end = () => ended.abort();
      call.on('cancelled', end).on('close', end).on('error', end);
      const send = (event: ConnectionEvent) => {
        if (ended.signal.aborted) return;
        if (call.writableLength < mostUnread) return void call.write(event);
        call.emit('error', { code: status.RESOURCE_EXHAUSTED, details: `${mostUnread} events were left unread` });
      };
      service.watch({ selector: call.request, send }).then(
        (stop) => (ended.signal.aborted ? stop() : ended.signal.addEventListener('abort', stop)),
        (error: unknown) => call.emit('error', statusOf(error)),
      );
    },
  };
}

export function healthHandlers(serving: () => boolean): HealthServer {
  const state = () => {
    const { SERVING, NOT_SERVING } = HealthCheckResponse_ServingStatus;
    return { status: serving() ? SERVING : NOT_SERVING };
  };
  const unknown = { code: status.NOT_FOUND, details: 'no such service' };
  return {
    check: ({ request: { service } }, callback) =>
      servedNames.includes(service) ? callback(null, state()) : callback(unknown),
    watch: (call) => {
      if (!servedNames.includes(call.request.service)) return void call.emit('error', unknown);
      call.write(state());
    },
  };
}

function incomingCall(call: ServerUnaryCall<unknown, unknown>, callerOf: CallerOf): IncomingCall {
  const now = Date.now();
  const asked = call.getDeadline();
  const wanted = asked === Number.POSITIVE_INFINITY ? now + usualDeadline : Number(asked);
  const deadline = new Date(Math.min(wanted, now + longestDeadline));
  const cancelling = new AbortController();
  call.on('cancelled', () => cancelling.abort());
  const timeout = AbortSignal.timeout(Math.max(0, deadline.getTime() - now));
  const token = tokenOf(call.metadata);
  return {
    caller: callerOf(call),
    deadline,
    signal: AbortSignal.any([cancelling.signal, timeout]),
    ...(token ? { token } : {}),
  };
}

function tokenOf(metadata: Metadata): Token | undefined {
  const [token] = metadata.get(metadataKey.token);
  const [written] = metadata.get(metadataKey.tokenExpires);
  const expires = new Date(String(written ?? ''));
  return token && !Number.isNaN(expires.getTime()) ? { token: String(token), expires } : undefined;
}

/** Peers only tell success from failure; the code is for people. */
function statusOf(error: unknown): Partial<StatusObject> {
  if (error instanceof CrosswireError)
    return { code: statusCodes[error.code] ?? status.UNKNOWN, details: `${error.code}: ${error.message}` };
  if (error instanceof Error && (error.name === 'AbortError' || error.name === 'TimeoutError'))
    return { code: status.DEADLINE_EXCEEDED, details: 'the time for this call is over' };
  return { code: status.UNKNOWN, details: error instanceof Error ? error.message : String(error) };
}

const statusCodes: Readonly<Record<string, status>> = {
  POLICY_REFUSED: status.PERMISSION_DENIED,
  CONNECTION_OF_ANOTHER: status.PERMISSION_DENIED,
  CONNECTION_PATH: status.INVALID_ARGUMENT,
  MECHANISM_UNSUPPORTED: status.INVALID_ARGUMENT,
  MECHANISM_PARAMETER: status.INVALID_ARGUMENT,
  VALUE_INVALID: status.INVALID_ARGUMENT,
  SERVICE_UNKNOWN: status.NOT_FOUND,
  ENDPOINT_UNKNOWN: status.NOT_FOUND,
  TOO_MANY_CALLS: status.RESOURCE_EXHAUSTED,
  FILE_NOT_SENT: status.DEADLINE_EXCEEDED,
};

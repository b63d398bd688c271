// SPDX-License-Identifier: Apache-2.0
// The three services of a forwarder as grpc-js calls them.

import {
  type Metadata,
  type ServerUnaryCall,
  type ServerWritableStream,
  type StatusObject,
  status,
} from '@grpc/grpc-js';
import { CrosswireError } from '../model/error.ts';
import type { ConnectionEvent, MonitorConnectionServer, MonitorScopeSelector } from '../nsm/generated/connection.ts';
import { HealthCheckResponse_ServingStatus, type HealthServer } from '../grpc/generated/health.ts';
import type { NetworkServiceServer } from '../nsm/generated/networkservice.ts';
import type { MeshCall } from '../metrics/mesh-metrics.ts';
import { metadataKey } from '../grpc/metadata-key.ts';
import type { Tracing } from '../grpc/tracing/tracing.ts';
import type { Peer } from '../grpc/calls.ts';
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

/** Told of every call that was answered: `outcome` is the gRPC status in small letters. */
export type CallObserver = (call: MeshCall, outcome: string, seconds: number) => void;

export interface HandlerParts {
  readonly callerOf: CallerOf;
  readonly tracing: Pick<Tracing, 'answer'>;
  readonly onAnswered?: CallObserver;
}

export function networkServiceHandlers(
  service: Pick<NetworkService, 'request' | 'close'>,
  { callerOf, tracing, onAnswered = () => {} }: HandlerParts,
): NetworkServiceServer {
  const answer = async <Request, Response>(
    name: MeshCall,
    call: ServerUnaryCall<Request, Response>,
    work: (incoming: IncomingCall) => Promise<Response>,
    callback: (error: Partial<StatusObject> | null, response?: Response) => void,
  ) => {
    const begun = performance.now();
    const answered = (code: status) =>
      onAnswered(name, (status[code] ?? 'UNKNOWN').toLowerCase(), (performance.now() - begun) / 1000);
    try {
      const incoming = incomingCall(call as ServerUnaryCall<unknown, unknown>, callerOf);
      const response = await tracing.answer(call.getPath(), call.metadata, () => work(incoming));
      answered(status.OK);
      callback(null, response);
    } catch (error) {
      const failure = statusOf(error);
      answered(failure.code);
      callback(failure);
    }
  };
  return {
    request: (call, callback) =>
      void answer('request', call, (incoming) => service.request(call.request, incoming), callback),
    close: (call, callback) =>
      void answer(
        'close',
        call,
        async (incoming) => {
          await service.close(call.request, incoming);
          return {};
        },
        callback,
      ),
  };
}

export function monitorHandlers(service: Pick<NetworkService, 'watch'>): MonitorConnectionServer {
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

export function incomingCall(call: ServerUnaryCall<unknown, unknown>, callerOf: CallerOf): IncomingCall {
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
export function statusOf(error: unknown): Pick<StatusObject, 'code' | 'details'> {
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
  TOO_MANY_CONNECTIONS: status.RESOURCE_EXHAUSTED,
  FILE_NOT_SENT: status.DEADLINE_EXCEEDED,
};

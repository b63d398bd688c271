// SPDX-License-Identifier: Apache-2.0
// A Network Service on a gRPC server: Request and Close, the stream of connection events, and the health of both.

import { type ServerUnaryCall, type ServerWritableStream, type StatusObject, status } from '@grpc/grpc-js';
import { HealthService } from '../../grpc/generated/health.ts';
import { healthHandlers } from '../../grpc/server/health.ts';
import type { GrpcServer } from '../../grpc/server/server.ts';
import { PassOn } from '../../grpc/tracing/pass-on.ts';
import type { Tracing } from '../../grpc/tracing/tracing.ts';
import {
  type Connection,
  type ConnectionEvent,
  type MonitorConnectionServer,
  MonitorConnectionService,
  type MonitorScopeSelector,
} from '../generated/connection.ts';
import {
  type NetworkServiceRequest,
  type NetworkServiceServer,
  NetworkServiceService,
} from '../generated/networkservice.ts';
import { type IncomingCall, incomingCall } from './call.ts';
import type { Watcher } from './monitor.ts';
import { statusOf } from './status.ts';

export interface NetworkService {
  /** The answer is as the caller sees the connection. */
  request(request: NetworkServiceRequest, call: IncomingCall): Promise<Connection>;
  close(connection: Connection, call: IncomingCall): Promise<void>;
  /** Streams events until the returned function is called. */
  watch(watcher: Watcher): Promise<() => void>;
}

export interface Serving {
  readonly tracing?: Pick<Tracing, 'answer'>;
  /** Told of every answered call; `outcome` is the gRPC status in lower case. */
  readonly onAnswered?: (call: 'request' | 'close', outcome: string, seconds: number) => void;
  readonly isServing?: () => boolean;
}

/** Events that a watcher may leave unread. */
const mostUnread = 1_000;

export function serve(server: GrpcServer, service: NetworkService, serving: Serving = {}): void {
  const { isServing = () => true } = serving;
  const names = [NetworkServiceService, MonitorConnectionService].map((one) => serviceName(one));
  server.addService(NetworkServiceService, requestHandlers(service, serving));
  server.addService(MonitorConnectionService, monitorHandlers(service));
  server.addService(HealthService, healthHandlers(names, isServing));
}

/** From a method's path: /networkservice.NetworkService/Request. */
function serviceName(definition: Readonly<Record<string, { readonly path: string }>>): string {
  return Object.values(definition)[0]?.path.split('/')[1] ?? '';
}

function requestHandlers(
  service: NetworkService,
  { tracing = new PassOn(), onAnswered = () => {} }: Serving,
): NetworkServiceServer {
  const answer = async <Request, Response>(
    name: 'request' | 'close',
    call: ServerUnaryCall<Request, Response>,
    work: (incoming: IncomingCall) => Promise<Response>,
    callback: (error: Partial<StatusObject> | null, response?: Response) => void,
  ) => {
    const begun = performance.now();
    const answered = (code: status) =>
      onAnswered(name, (status[code] ?? 'UNKNOWN').toLowerCase(), (performance.now() - begun) / 1000);
    try {
      const incoming = incomingCall(call as ServerUnaryCall<unknown, unknown>);
      const response = await tracing.answer(call.getPath(), call.metadata, () => work(incoming));
      answered(status.OK);
      callback(null, response);
    } catch (error) {
      const failure = statusOf(error);
      answered(failure.code);
      callback(failure);
    }
  };
  const close = async (connection: Connection, incoming: IncomingCall) => {
    await service.close(connection, incoming);
    return {};
  };
  return {
    request: (call, callback) =>
      void answer('request', call, (incoming) => service.request(call.request, incoming), callback),
    close: (call, callback) => void answer('close', call, (incoming) => close(call.request, incoming), callback),
  };
}

function monitorHandlers(service: NetworkService): MonitorConnectionServer {
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

// SPDX-License-Identifier: Apache-2.0
// gRPC's health service (grpc/grpc, doc/health-checking.md) for a program that either serves all its services or none.

import { status } from '@grpc/grpc-js';
import { HealthCheckResponse_ServingStatus, type HealthServer } from '../generated/health.ts';

/** `names`: the services that may be asked about, beside the whole server (''). */
export function healthHandlers(names: readonly string[], serving: () => boolean): HealthServer {
  const state = () => {
    const { SERVING, NOT_SERVING } = HealthCheckResponse_ServingStatus;
    return { status: serving() ? SERVING : NOT_SERVING };
  };
  const unknown = { code: status.NOT_FOUND, details: 'no such service' };
  const isKnown = (name: string) => name === '' || names.includes(name);
  return {
    check: ({ request: { service } }, callback) => (isKnown(service) ? callback(null, state()) : callback(unknown)),
    watch: (call) => {
      if (!isKnown(call.request.service)) return void call.emit('error', unknown);
      call.write(state());
    },
  };
}

// SPDX-License-Identifier: Apache-2.0
// The gRPC status of an error. Peers only tell success from failure; the code is for people.

import { type StatusObject, status } from '@grpc/grpc-js';
import { CrosswireError } from '../../model/error.ts';

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

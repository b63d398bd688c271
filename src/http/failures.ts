// SPDX-License-Identifier: Apache-2.0
// Translates errors to the status and body of an answer.

import { CrosswireError } from '../model/error.ts';
import type { Answer } from './route.ts';

/** Error code → status. All other codes, those of the supervisor about conflicting wires, are 409. */
const statusOf: Readonly<Record<string, number>> = {
  WIRE_NOT_FOUND: 404,
  ROUTE_UNKNOWN: 404,
  METHOD_WRONG: 405,
  BODY_TOO_LARGE: 413,
  CONTENT_TYPE_WRONG: 415,
  JSON_BROKEN: 400,
  BODY_INVALID: 400,
  QUERY_INVALID: 400,
  INTERNAL: 500,
  NOT_RUNNING: 503,
};

export function failure(error: unknown): Answer {
  // An AggregateError contains every problem of the documents in the request.
  if (error instanceof AggregateError && error.errors.every((each) => each instanceof CrosswireError))
    return { status: 400, body: { errors: error.errors.map((each: CrosswireError) => each.toJSON()) } };
  const known = error instanceof CrosswireError ? error : unexpected(error);
  return { status: statusOf[known.code] ?? 409, body: { errors: [known.toJSON()] } };
}

function unexpected(cause: unknown): CrosswireError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new CrosswireError({ code: 'INTERNAL', operation: 'answering a request', subject: '', reason, cause });
}

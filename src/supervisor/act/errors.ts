// SPDX-License-Identifier: Apache-2.0

import { CrosswireError } from '../../model/error.ts';

export function asCrosswireError(cause: unknown, operation: string, subject: string): CrosswireError {
  if (cause instanceof CrosswireError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new CrosswireError({ code: 'INTERNAL', operation, subject, reason, cause });
}

// SPDX-License-Identifier: Apache-2.0
// The only error class of the project; the addon throws it too.

export interface ErrorDetails {
  /** Stable, documented in docs/errors.md. */
  code: string;
  /** What was tried. */
  operation: string;
  /** The object of the operation: an interface, a namespace, a file with line and column. */
  subject: string;
  /** Why it failed, with the kernel's own text where it gave one. */
  reason: string;
  /** What the reader can do. */
  hint?: string;
  /** errno of the failed system call, 0 where there was none. */
  errno?: number;
  cause?: unknown;
}

export class CrosswireError extends Error {
  readonly code: string;
  readonly operation: string;
  readonly subject: string;
  readonly reason: string;
  readonly hint: string | undefined;
  readonly errno: number;

  constructor(details: ErrorDetails) {
    const { code, operation, subject, reason, hint, errno = 0, cause } = details;
    super(`${operation}${subject ? ` (${subject})` : ''}: ${reason}${hint ? `; ${hint}` : ''}`, { cause });
    this.name = 'CrosswireError';
    this.code = code;
    this.operation = operation;
    this.subject = subject;
    this.reason = reason;
    this.hint = hint;
    this.errno = errno;
  }

  /** The form in the control API and in `-o json`. */
  toJSON(): ErrorDetails {
    const { code, operation, subject, reason, hint, errno } = this;
    return { code, operation, subject, reason, ...(hint ? { hint } : {}), ...(errno ? { errno } : {}) };
  }
}

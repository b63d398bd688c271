// SPDX-License-Identifier: Apache-2.0

/** The part of pino's logger that most rooms need. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

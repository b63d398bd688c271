// SPDX-License-Identifier: Apache-2.0
// A problem of a document before it is known where the document came from: the key, and what is wrong with it.

export type KeyPath = readonly (string | number)[];

export interface Problem {
  readonly code: 'KEY_UNKNOWN' | 'KEY_MISSING' | 'VALUE_INVALID' | 'MECHANISM_COUNT' | 'WIRE_TO_ITSELF';
  readonly path: KeyPath;
  /** Which part of the file shows it: the key itself, or the value behind it. */
  readonly at: 'key' | 'value';
  readonly reason: string;
  readonly hint?: string;
}

/** Only own properties: a document may be called __proto__. */
export function valueAt(document: unknown, path: KeyPath): unknown {
  let value = document;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string | number, unknown>)[key];
  }
  return value;
}

export const isMapping = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const invalid = (path: KeyPath, at: Problem['at'], reason: string, hint?: string): Problem => ({
  code: 'VALUE_INVALID',
  path,
  at,
  reason,
  ...(hint ? { hint } : {}),
});

// SPDX-License-Identifier: Apache-2.0

import { isDeepStrictEqual } from 'node:util';

/** Equal as JSON: a key that is undefined is a key that is absent. */
export function sameValue(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(plain(a), plain(b));
}

function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}

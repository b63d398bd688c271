// SPDX-License-Identifier: Apache-2.0
// Wire files that are refused, each for one reason.

import test, { type ExecutionContext } from 'ava';
import type { CrosswireError } from '../../../src/model/error.ts';
import { parseWireFile } from '../../../src/wire/wire-file.ts';

export type Refusal = readonly [title: string, text: string, code: string, reason: RegExp];

/** A test for each: no wire comes of it, and exactly one error has the code and the reason. */
export function testRefusals(
  refusals: readonly Refusal[],
  more: (t: ExecutionContext, errors: readonly CrosswireError[]) => void = () => {},
): void {
  for (const [title, text, code, reason] of refusals) {
    test(`refused: ${title}`, (t) => {
      const { wires, errors } = parseWireFile(text, 'w.yaml');
      t.deepEqual(wires, []);
      const found = errors.filter((error) => error.code === code && reason.test(error.reason));
      t.is(found.length, 1, JSON.stringify(errors));
      more(t, errors);
    });
  }
}

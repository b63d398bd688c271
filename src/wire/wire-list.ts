// SPDX-License-Identifier: Apache-2.0
// Wires as the control API takes them: a list of documents in JSON. The subject of an error is the JSON path.

import { setImmediate as letOthersRun } from 'node:timers/promises';
import { CrosswireError } from '../model/error.ts';
import type { Wire } from './wire.ts';
import type { KeyPath } from './values/problems.ts';
import { readDocument } from './wire-document.ts';
import { keyText, type ParsedWires } from './wire-file.ts';
import { Claims } from './claims.ts';

const operation = 'reading wires';
const readAtOnce = 100;

/** Lets the event loop turn from time to time, so that scrapes are served while thousands of wires are read. */
export async function parseWireList(documents: readonly unknown[], name = 'wires'): Promise<ParsedWires> {
  const claims = new Claims();
  const wires: Wire[] = [];
  const errors: CrosswireError[] = [];
  for (const [index, document] of documents.entries()) {
    if (index % readAtOnce === readAtOnce - 1) await letOthersRun();
    const subject = (path: KeyPath) => keyText([name, index, ...path]);
    const reading = readDocument(document);
    for (const { code, path, reason, hint } of reading.problems)
      errors.push(new CrosswireError({ code, operation, subject: subject(path), reason, hint }));
    if (!('wire' in reading)) continue;
    wires.push(reading.wire);
    const claimant = { wire: reading.wire, place: subject([]) };
    for (const { code, path, reason } of claims.refusals([claimant]))
      errors.push(new CrosswireError({ code, operation, subject: subject(path), reason }));
    claims.hold(claimant);
  }
  return { wires, errors };
}

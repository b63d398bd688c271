// SPDX-License-Identifier: Apache-2.0
// The text of a wire file → its wires, or every error in it, each with file, line, column and key.

import { type Document, isScalar, LineCounter, parseAllDocuments, type YAMLError } from 'yaml';
import { CrosswireError } from '../model/error.ts';
import type { Wire } from './wire.ts';
import { Claims } from './claims.ts';
import type { KeyPath } from './values/problems.ts';
import { readDocument } from './wire-document.ts';
import { type Position, positionOf } from './yaml-position.ts';

export interface ParsedWires {
  readonly wires: readonly Wire[];
  readonly errors: readonly CrosswireError[];
}

const operation = 'reading a wire file';

/** `claims` holds the claims of wires in other files of the same call. */
export function parseWireFile(text: string, fileName: string, claims = new Claims()): ParsedWires {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false });
  const documents = Array.isArray(parsed) ? parsed : [];
  const wires: Wire[] = [];
  const errors: CrosswireError[] = [];
  for (const document of documents) {
    const broken = telling([...document.errors, ...document.warnings]);
    errors.push(...broken.map((error) => brokenYaml(error, lines, fileName)));
    if (broken.length > 0 || isEmpty(document as Document)) continue;
    const { wire, errors: found } = readYaml(document as Document, lines, fileName, claims);
    if (wire) wires.push(wire);
    errors.push(...found);
  }
  return { wires, errors };
}

function readYaml(
  document: Document,
  lines: LineCounter,
  fileName: string,
  claims: Claims,
): { wire?: Wire; errors: CrosswireError[] } {
  const place = (path: KeyPath, at: 'key' | 'value') => positionOf(document, lines, path, at);
  const subject = (path: KeyPath, at: 'key' | 'value') => subjectOf(fileName, place(path, at), path);
  let plain: unknown;
  try {
    plain = document.toJS(); // bounded: yaml refuses more than 100 uses of aliases
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return {
      errors: [new CrosswireError({ code: 'YAML_BROKEN', operation, subject: subject([], 'key'), reason, cause })],
    };
  }
  const reading = readDocument(plain);
  if (!('wire' in reading))
    return {
      errors: reading.problems.map(
        ({ code, path, at, reason, hint }) =>
          new CrosswireError({ code, operation, subject: subject(path, at), reason, hint }),
      ),
    };
  const { line } = place(['metadata', 'name'], 'key');
  const claimant = { wire: reading.wire, place: `${fileName}:${line}` };
  const refusals = claims.refusals([claimant]);
  claims.hold(claimant);
  const errors = refusals.map(
    ({ code, path, reason }) => new CrosswireError({ code, operation, subject: subject(path, 'key'), reason }),
  );
  return { wire: reading.wire, errors };
}

const isEmpty = ({ contents }: Document): boolean =>
  contents === null || (isScalar(contents) && contents.value === null && contents.source === '');

/** The first syntax error, because it mostly causes those after it, or all errors of other kinds. */
function telling(errors: readonly YAMLError[]): YAMLError[] {
  const ownErrors = new Set(['DUPLICATE_KEY', 'TAG_RESOLVE_FAILED']);
  const syntax = errors.filter(({ code }) => !ownErrors.has(code)).slice(0, 1);
  return syntax.length > 0 ? syntax : [...errors];
}

function brokenYaml(error: YAMLError, lines: LineCounter, fileName: string): CrosswireError {
  const { line, col } = lines.linePos(error.pos[0]);
  const reason = error.message.replace(/\s+/g, ' ');
  return new CrosswireError({
    code: 'YAML_BROKEN',
    operation,
    subject: subjectOf(fileName, { line, column: col }, []),
    reason,
    cause: error,
  });
}

function subjectOf(fileName: string, { line, column }: Position, path: KeyPath): string {
  const key = keyText(path);
  return `${fileName}:${line}:${column}${key ? `, ${key}` : ''}`;
}

/** spec.client.kernel.routes[0].via */
export function keyText(path: KeyPath): string {
  return path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${key}`))
    .join('')
    .replace(/^\./, '');
}

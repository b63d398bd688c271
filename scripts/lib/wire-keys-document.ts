// SPDX-License-Identifier: Apache-2.0
// docs/wire-files.md: the tables of keys, between marks, from the schemas of the mechanisms.

import { mechanismTypes } from '../../src/wire/mechanisms/index.ts';
import { type JsonSchema, wireJsonSchema } from '../../src/wire/wire-schema.ts';
import { code, table } from './markdown.ts';

/** The text with its tables made anew. */
export function withKeyTables(text: string): string {
  return text.replace(/(<!-- keys of (\w+)[^\n]*-->\n)[^]*?(<!-- end of keys -->)/g, (_, begin, name, end) => {
    return `${begin}\n${keysOf(String(name))}\n${end}`;
  });
}

/** Mechanisms that the text has no table of. */
export function undocumentedMechanisms(text: string): string[] {
  return mechanismTypes.filter((type) => !text.includes(`<!-- keys of ${type} `));
}

function keysOf(name: string): string {
  const end = at(wireJsonSchema, 'spec', 'client');
  const schema = name === 'device' ? at(end, 'vfio', 'device') : at(end, name);
  const rows = Object.entries(schema.properties ?? {})
    .filter(([key]) => name === 'device' || key !== 'device' || schema.properties?.[key]?.type !== 'object')
    .map(([key, { description = '', default: usual }]) => [code(key), description, shown(usual)]);
  return table(['key', 'meaning', 'default'], rows);
}

function at(schema: JsonSchema, ...keys: readonly string[]): JsonSchema {
  let found: JsonSchema = schema;
  for (const key of keys) {
    const next = found.properties?.[key];
    if (!next) throw new Error(`a wire document has no ${keys.join('.')}`);
    found = next;
  }
  return found;
}

/** A key without a default is required, or its description says what its absence means. */
function shown(usual: unknown): string {
  if (usual === undefined) return '';
  return Array.isArray(usual) ? 'none' : JSON.stringify(usual);
}

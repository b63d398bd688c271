// SPDX-License-Identifier: Apache-2.0
// Problems that the schema finds in a document, in words.

import type { z } from 'zod';
import { nearest } from '../model/nearest.ts';
import { type KeyPath, type Problem, valueAt } from './values/problems.ts';
import { type JsonSchema, wireJsonSchema } from './wire-schema.ts';

type Issue = z.core.$ZodIssue;

export function problemsOf(issue: Issue, document: unknown): Problem[] {
  const path = issue.path as KeyPath;
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(path, key));
  const value = valueAt(document, path);
  if (value === undefined)
    return [{ code: 'KEY_MISSING', path, at: 'value', reason: `the key '${path.at(-1) ?? ''}' is missing` }];
  return [{ code: 'VALUE_INVALID', path, at: 'value', ...complaintOf(issue, value) }];
}

function unknownKey(path: KeyPath, key: string): Problem {
  const known = Object.keys(schemaAt(path)?.properties ?? {});
  const meant = nearest(key, known);
  const hint = meant ? `did you mean '${meant}'?` : `known here: ${known.join(', ')}`;
  return { code: 'KEY_UNKNOWN', path: [...path, key], at: 'key', reason: `the key '${key}' is unknown`, hint };
}

function complaintOf(issue: Issue, value: unknown): { reason: string; hint?: string } {
  switch (issue.code) {
    case 'invalid_type':
      return wrongType(issue.expected, value);
    case 'invalid_value': {
      const allowed = issue.values.map(String);
      const meant = typeof value === 'string' ? nearest(value, allowed) : undefined;
      const reason = `must be ${allowed.map((word) => `'${word}'`).join(' or ')}, not ${shown(value)}`;
      return { reason, ...(meant && allowed.length > 1 ? { hint: `did you mean '${meant}'?` } : {}) };
    }
    case 'too_small':
      if (issue.origin === 'array') return { reason: 'is empty' };
      return { reason: `${shown(value)} is less than ${issue.minimum}` };
    case 'too_big':
      if (issue.origin === 'array') return { reason: `has more than ${issue.maximum} entries` };
      return { reason: `${shown(value)} is more than ${issue.maximum}` };
    case 'custom': {
      const hint = issue.params?.['hint'];
      return { reason: issue.message, ...(typeof hint === 'string' ? { hint } : {}) };
    }
    default:
      return { reason: issue.message };
  }
}

function wrongType(expected: string, value: unknown): { reason: string; hint?: string } {
  const words: Record<string, string> = {
    int: 'a whole number',
    number: 'a whole number',
    string: 'a text',
    boolean: 'true or false',
    array: 'a list',
    object: 'a mapping of keys',
    record: 'a mapping of texts',
  };
  const reason = value === null ? 'has no value' : `must be ${words[expected] ?? expected}, not ${shown(value)}`;
  const scalar = typeof value === 'number' || typeof value === 'boolean';
  return { reason, ...(expected === 'string' && scalar ? { hint: 'put it in quotes' } : {}) };
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'a mapping';
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function schemaAt(path: KeyPath): JsonSchema | undefined {
  let schema: JsonSchema | undefined = wireJsonSchema;
  for (const key of path) schema = typeof key === 'number' ? schema?.items : schema?.properties?.[key];
  return schema;
}

// SPDX-License-Identifier: Apache-2.0
// Writes SMP messages as text: YAML with the names of the fields, and protobuf's JSON form.

import { stringify } from 'yaml';
import type { Message } from './smp.ts';

/** A YAML stream: one document for each message. */
export function smpYaml(messages: readonly Message[]): string {
  const options = { lineWidth: 0, aliasDuplicateObjects: false };
  return messages.map((message) => `---\n${stringify(message, { keepUndefined: false, ...options })}`).join('');
}

/** An array of messages in protobuf's JSON form: names in camelCase, 64-bit integers as strings. */
export function smpJson(messages: readonly Message[]): string {
  return `${JSON.stringify(
    messages.map((message) => jsonOf(message, false)),
    null,
    2,
  )}\n`;
}

// The keys of a map are data, not names of fields.
const maps: readonly string[] = ['labels', 'annotations', 'headers', 'cookies'];

function jsonOf(value: unknown, isMap: boolean): unknown {
  if (typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) return value.map((element) => jsonOf(element, false));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [isMap ? name : camelCase(name), jsonOf(field, maps.includes(name))]),
  );
}

function camelCase(name: string): string {
  return name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

// SPDX-License-Identifier: Apache-2.0
// Writes messages in protobuf's text format, the only input of protoc --encode, which checks them against the schema.

import { execFileSync } from 'node:child_process';

type Fields = Readonly<Record<string, unknown>>;

const maps: readonly string[] = ['labels', 'annotations', 'headers', 'cookies'];
const times: readonly string[] = ['start_time', 'end_time'];
const enums: readonly string[] = ['protocol', 'mesh_type.type'];

/** The field names are those of the .proto file. */
export function textFormat(message: Fields, path = ''): string {
  return Object.entries(message)
    .flatMap(([name, value]) => (Array.isArray(value) ? value : [value]).map((one) => fieldText(name, one, path)))
    .join('');
}

function fieldText(name: string, value: unknown, path: string): string {
  if (maps.includes(name)) {
    const entries = Object.entries(value as Fields);
    return entries.map(([key, text]) => `${name} { key: ${quoted(key)} value: ${quoted(text)} }\n`).join('');
  }
  if (times.includes(name)) return `${name} { ${timeText(String(value))} }\n`;
  if (typeof value === 'object') return `${name} {\n${textFormat(value as Fields, `${name}.`)}}\n`;
  const isEnum = enums.includes(name) || enums.includes(path + name);
  return `${name}: ${isEnum ? String(value as string) : quoted(value)}\n`;
}

function timeText(time: string): string {
  const milliseconds = Date.parse(time);
  return `seconds: ${Math.floor(milliseconds / 1000)} nanos: ${(milliseconds % 1000) * 1e6}`;
}

// JSON and the text format write numbers and the escapes of strings in the same way, except \u.
function quoted(text: unknown): string {
  return JSON.stringify(text);
}

/** The message in binary form; throws with protoc's message if it does not match the schema. */
export function encode(type: string, text: string): Buffer {
  return protoc(`--encode=${type}`, text);
}

export function decode(type: string, wire: Buffer): string {
  return protoc(`--decode=${type}`, wire).toString();
}

function protoc(mode: string, input: string | Buffer): Buffer {
  const schema = ['-I', 'bench/report', 'smp.proto'];
  const deterministic = mode.startsWith('--encode') ? ['--deterministic_output'] : [];
  return execFileSync('protoc', [mode, ...deterministic, ...schema], { input, stdio: ['pipe', 'pipe', 'pipe'] });
}

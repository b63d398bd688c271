// SPDX-License-Identifier: Apache-2.0
// The one-way rules between rooms (docs/decisions/001-rooms.md), held against every #include and import.

import { readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { sourceFiles } from './source-files.ts';

const everything = '*';

const nativeMayUse: Record<string, readonly string[] | typeof everything> = {
  core: [],
  os: ['core'],
  link: ['os', 'core'],
  engine: ['core'],
  binding: everything,
};

const sourceMayUse: Record<string, readonly string[] | typeof everything> = {
  model: [],
  config: ['model'],
  plan: ['model'],
  dataplane: ['model'],
  host: ['dataplane', 'model'],
  metrics: ['dataplane', 'model'],
  supervisor: ['plan', 'host', 'dataplane', 'model'],
  nsm: ['supervisor', 'metrics', 'model'],
  kubelet: ['model'],
  http: ['supervisor', 'metrics', 'model'],
  cli: ['config', 'model'],
  main: everything,
  'main.ts': everything,
  'index.ts': everything,
};

const withoutNode = ['model', 'plan'];
const problems: string[] = [];

function checkUse(file: string, room: string, used: string, table: typeof nativeMayUse): void {
  const allowed = table[room];
  if (allowed === undefined)
    problems.push(`${file}: the room '${room}' is not in the table of scripts/checks/rooms.ts`);
  else if (room !== used && allowed !== everything && !allowed.includes(used))
    problems.push(`${file}: '${room}' may not use '${used}'`);
}

function checkNative(file: string, text: string): void {
  const room = file.split('/')[1] as string;
  for (const [, path] of text.matchAll(/^#include "([^"]+)"/gm))
    checkUse(file, room, (path as string).split('/')[0] as string, nativeMayUse);
  for (const [, header] of text.matchAll(/^#include <([^>]+)>/gm)) {
    const name = header as string;
    if (/^(napi|node_api|uv|v8)/.test(name) && room !== 'binding')
      problems.push(`${file}: only binding/ may include <${name}>`);
    const systemHeader = /^(sys|linux|net|netinet|arpa|libmnl)\/|^(unistd|fcntl|sched|poll|signal)\.h$/.test(name);
    if (room === 'core' && systemHeader) problems.push(`${file}: core/ is pure and may not include <${name}>`);
  }
}

function checkSource(file: string, text: string): void {
  const room = file.split('/')[1] as string;
  for (const [, path] of text.matchAll(/(?:from|import|import\()\s*'([^']+)'/g)) {
    const specifier = path as string;
    if (specifier.startsWith('.')) {
      const target = relative('.', resolve(dirname(file), specifier)).split('/');
      if (target[0] === 'src') checkUse(file, room, target[1] as string, sourceMayUse);
      else if (target.join('/') !== 'package.json') problems.push(`${file}: imports ${specifier} from outside src/`);
    } else if (specifier.startsWith('node:') && withoutNode.includes(room)) {
      problems.push(`${file}: '${room}' imports nothing from Node, but imports ${specifier}`);
    }
  }
  if (/\.node['"`]/.test(text) && room !== 'dataplane')
    problems.push(`${file}: only dataplane/ may load the .node file`);
}

for (const file of sourceFiles(['native', 'src'])) {
  const text = readFileSync(file, 'utf8');
  if (/^native\/.+\/.+\.(cpp|hpp)$/.test(file)) checkNative(file, text);
  else if (/^src\/.+\.ts$/.test(file)) checkSource(file, text);
}

for (const problem of problems) console.error(problem);
process.exitCode = problems.length === 0 ? 0 : 1;

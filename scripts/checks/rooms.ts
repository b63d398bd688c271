// SPDX-License-Identifier: Apache-2.0
// Enforces the one-way rules between rooms (docs/decisions/001-rooms.md, 023-mesh-rooms.md) for every #include and import, at
// every level: a file belongs to the deepest room of the table that contains it.

import { readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { sourceFiles } from './source-files.ts';

type Rooms = Readonly<Record<string, readonly string[] | typeof everything>>;
const everything = '*';

const nativeRooms: Rooms = {
  core: [],
  os: ['core'],
  link: ['os', 'core'],
  'link/kernel': ['os', 'core'],
  'link/memif': ['os', 'core'],
  engine: ['core'],
  binding: everything,
};

/** What each room may use. A name means that room with its inner rooms; in the line of an inner room, the name of an outer
 *  room means the outer room's own files. A room may use its inner rooms if they do not use it: cycles are errors. */
const sourceRooms: Rooms = {
  model: [],
  wire: ['model'],
  'wire/values': ['model'],
  'wire/mechanisms': ['wire/values', 'model'],
  options: ['wire', 'model'],
  plan: ['wire', 'model'],
  dataplane: ['model'],
  machine: ['dataplane', 'model'],
  'machine/device-access': ['machine', 'dataplane', 'model'],
  'machine/sriov': ['machine/device-access', 'machine', 'dataplane', 'model'],
  'machine/doctor': ['machine/sriov', 'machine', 'dataplane', 'model'],
  metrics: ['dataplane', 'wire', 'model'],
  supervisor: ['plan', 'machine', 'wire', 'dataplane', 'model'],
  'supervisor/count': ['plan', 'wire', 'dataplane', 'model'],
  'supervisor/store': ['plan', 'machine', 'wire', 'model'],
  'supervisor/wanted': ['supervisor/store', 'supervisor/count', 'plan', 'machine', 'wire', 'dataplane', 'model'],
  'supervisor/look': ['supervisor/store', 'plan', 'machine', 'wire', 'dataplane', 'model'],
  'supervisor/act': [
    'supervisor/look',
    'supervisor/wanted',
    'supervisor/store',
    'plan',
    'machine',
    'wire',
    'dataplane',
    'model',
  ],
  'supervisor/tell': [
    'supervisor/act',
    'supervisor/wanted',
    'supervisor/store',
    'plan',
    'machine',
    'wire',
    'dataplane',
    'model',
  ],
  spiffe: ['model'],
  'spiffe/x509': ['spiffe', 'model'],
  'spiffe/tokens': ['spiffe', 'model'],
  'spiffe/sources': ['spiffe/x509', 'spiffe', 'model'],
  grpc: ['spiffe', 'model'],
  'grpc/client': ['grpc', 'spiffe', 'model'],
  'grpc/server': ['grpc', 'spiffe', 'model'],
  'grpc/tracing': ['model'],
  nsm: ['model'],
  'nsm/path': ['nsm', 'model'],
  'nsm/mechanisms': ['nsm', 'wire', 'model'],
  'nsm/wire': ['nsm/mechanisms', 'nsm/path', 'nsm', 'wire', 'model'],
  'nsm/registry': ['nsm', 'grpc', 'spiffe', 'model'],
  'nsm/chain': ['nsm/path', 'nsm', 'grpc', 'spiffe', 'model'],
  forwarder: ['nsm', 'grpc', 'spiffe', 'metrics', 'wire', 'model'],
  'forwarder/parts': ['nsm', 'grpc', 'wire', 'model'],
  'forwarder/connections': ['forwarder/parts', 'nsm', 'grpc', 'metrics', 'wire', 'model'],
  'forwarder/close': ['forwarder/connections', 'forwarder/parts', 'nsm', 'grpc', 'wire', 'model'],
  'forwarder/request': ['forwarder/close', 'forwarder/connections', 'forwarder/parts', 'nsm', 'grpc', 'wire', 'model'],
  mesh: ['grpc', 'spiffe', 'model'],
  'mesh/client': ['mesh', 'nsm', 'grpc', 'spiffe', 'model'],
  'mesh/endpoint': ['mesh', 'nsm', 'grpc', 'spiffe', 'wire', 'model'],
  'mesh/manager': ['mesh', 'nsm', 'grpc', 'spiffe', 'model'],
  kubernetes: ['model'],
  http: ['supervisor', 'metrics', 'wire', 'model'],
  cli: ['options', 'wire', 'model'],
  main: everything,
  'main.ts': everything,
  'index.ts': everything,
};

const withoutNode = ['model', 'plan'];
const problems: string[] = [];
/** Room → the rooms that its files use. The names of native rooms and of rooms of src differ. */
const usedRooms = new Map<string, Set<string>>();

/** The deepest room that contains a path below native/ or src/; undefined if its folder is not a room. */
function roomOf(path: string, rooms: Rooms): string | undefined {
  const parts = path.split('/').filter((part) => part !== 'generated' && part !== 'proto');
  const folder = parts.length > 1 ? parts.slice(0, -1) : parts;
  const room = folder.join('/').replace(/\/google\/.*$/, '');
  return room in rooms ? room : undefined;
}

function checkUse(file: string, path: string, used: string, rooms: Rooms): void {
  const [room, other] = [roomOf(path, rooms), roomOf(used, rooms)];
  if (room === undefined) problems.push(`${file}: its folder is not a room of scripts/checks/rooms.ts`);
  else if (other === undefined) problems.push(`${file}: uses ${used}, whose folder is not a room`);
  else if (!mayUse(room, other, rooms)) problems.push(`${file}: '${room}' may not use '${other}'`);
  else if (room !== other) usedRooms.set(room, (usedRooms.get(room) ?? new Set()).add(other));
}

function mayUse(room: string, other: string, rooms: Rooms): boolean {
  const allowed = rooms[room] ?? [];
  if (room === other || isWithin(other, room) || allowed === everything) return true;
  return allowed.some((one) => other === one || (isWithin(other, one) && !isWithin(room, one)));
}

function isWithin(room: string, around: string): boolean {
  return room.startsWith(`${around}/`);
}

/** Checks the actual uses: an entry of the table that no file needs makes no cycle. */
function checkCycles(uses: ReadonlyMap<string, ReadonlySet<string>>): void {
  const done = new Set<string>();
  const visit = (room: string, way: readonly string[]) => {
    if (way.includes(room)) problems.push(`rooms in a cycle: ${[...way.slice(way.indexOf(room)), room].join(' → ')}`);
    if (done.has(room)) return;
    done.add(room);
    for (const other of uses.get(room) ?? []) visit(other, [...way, room]);
  };
  for (const room of uses.keys()) visit(room, []);
}

function checkNative(file: string, text: string): void {
  const path = file.slice('native/'.length);
  for (const [, used] of text.matchAll(/^#include "([^"]+)"/gm)) checkUse(file, path, used as string, nativeRooms);
  for (const [, header] of text.matchAll(/^#include <([^>]+)>/gm)) {
    const name = header as string;
    const room = roomOf(path, nativeRooms);
    if (/^(napi|node_api|uv|v8)/.test(name) && room !== 'binding')
      problems.push(`${file}: only binding/ may include <${name}>`);
    const systemHeader = /^(sys|linux|net|netinet|arpa)\/|^(unistd|fcntl|sched|poll|signal)\.h$/.test(name);
    if (room === 'core' && systemHeader) problems.push(`${file}: core/ is pure and may not include <${name}>`);
  }
}

function checkSource(file: string, text: string): void {
  const path = file.slice('src/'.length);
  const room = path.split('/')[0] as string;
  for (const [, name] of text.matchAll(/(?:from|import|import\()\s*'([^']+)'/g)) {
    const specifier = name as string;
    if (specifier.startsWith('.')) {
      const target = relative('.', resolve(dirname(file), specifier));
      if (target.startsWith('src/')) checkUse(file, path, target.slice('src/'.length), sourceRooms);
      else if (target !== 'package.json') problems.push(`${file}: imports ${specifier} from outside src/`);
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
checkCycles(usedRooms);

for (const problem of problems) console.error(problem);
process.exitCode = problems.length === 0 ? 0 : 1;

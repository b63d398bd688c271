// SPDX-License-Identifier: Apache-2.0
// A control server over a fake manager, in a temporary directory.

import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { parseWireList } from '../../src/wire/wire-list.ts';
import { wireJsonSchema } from '../../src/wire/wire-schema.ts';
import { ControlServer } from '../../src/http/control-server.ts';
import { devices } from '../fakes/devices-report.ts';
import { FakeManager } from '../fakes/manager.ts';

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: unknown;
}

export interface ControlFixture {
  readonly manager: FakeManager;
  readonly path: string;
  readonly server: ControlServer;
  readonly internalErrors: unknown[];
  readonly call: (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Reply>;
}

export async function startControl(t: ExecutionContext): Promise<ControlFixture> {
  const manager = new FakeManager();
  const directory = mkdtempSync(join(tmpdir(), 'crosswire-control-'));
  const path = join(directory, 'control.sock');
  const internalErrors: unknown[] = [];
  const server = new ControlServer({
    path,
    wires: manager,
    version: '0.1.0',
    status: () => ({
      version: '0.1.0',
      node: 'test',
      pid: process.pid,
      startedAt: '2026-11-20T08:00:00.000Z',
      wires: manager.wires.size,
      workers: [{ worker: 0, wires: 0, hotWires: 0 }],
    }),
    devices: async () => devices,
    parseWires: parseWireList,
    wireDocument: wireJsonSchema,
    onInternalError: (error) => internalErrors.push(error),
  });
  await server.start();
  t.teardown(async () => {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  });
  return { manager, path, server, internalErrors, call: (...args) => call(path, ...args) };
}

/** A string or Buffer is sent unchanged, anything else as JSON. */
function call(
  socketPath: string,
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
): Promise<Reply> {
  const raw = body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  const sent =
    raw === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(raw)) };
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { socketPath, method, path, headers: { ...sent, ...headers }, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: JSON.parse(text) as unknown });
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(raw);
  });
}

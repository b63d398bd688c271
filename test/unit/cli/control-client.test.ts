// SPDX-License-Identifier: Apache-2.0
// The command's end of the control socket, over connections that do not last.

import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { ControlClient } from '../../../src/cli/control-client.ts';

/** Answers the first request of each of the first `honest` connections, and closes on whatever else comes. */
async function fickle(t: ExecutionContext, honest: number) {
  const directory = mkdtempSync(join(tmpdir(), 'crosswire-client-'));
  const path = join(directory, 'control.sock');
  const connections: Socket[] = [];
  const asked: string[] = [];
  const answered = new Set<Socket>();
  const server = createServer((request, response) => {
    const { socket, method = '' } = request;
    asked.push(method);
    if (answered.has(socket) || connections.indexOf(socket) >= honest) return socket.destroy();
    answered.add(socket);
    return response.end('{}');
  });
  server.on('connection', (socket: Socket) => connections.push(socket));
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const client = new ControlClient(path);
  t.teardown(() => {
    client.close();
    server.closeAllConnections();
    server.close();
    rmSync(directory, { recursive: true, force: true });
  });
  return { client, connections, asked };
}

test('a request over a kept connection that turns out closed is made once more, over a new one', async (t) => {
  for (const ask of ['get', 'delete'] as const) {
    const { client, connections, asked } = await fickle(t, 2);
    await client.get('/v1/status');
    t.deepEqual(await client[ask]('/v1/wires/w'), {});
    t.is(connections.length, 2);
    t.is(asked.length, 3);
  }
});

test('a new connection that closes is an answer: nothing is asked a third time', async (t) => {
  const { client, connections, asked } = await fickle(t, 1);
  await client.get('/v1/status');
  await t.throwsAsync(client.put('/v1/wires', { wires: [] }), {
    code: 'DAEMON_UNREACHABLE',
    message: /closed the conn/,
  });
  t.is(connections.length, 2);
  t.deepEqual(asked, ['GET', 'PUT', 'PUT']);
});

test('what may not be asked twice is not', async (t) => {
  const { client, asked } = await fickle(t, 2);
  await client.get('/v1/status');
  await t.throwsAsync(client.post('/v1/explain', {}), { code: 'DAEMON_UNREACHABLE' });
  t.deepEqual(asked, ['GET', 'POST']);
});

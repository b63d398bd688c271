// SPDX-License-Identifier: Apache-2.0
// The control API's socket, and what it says to requests that are wrong.

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { toDocument } from '../../../src/wire/wire-document.ts';
import { longestBody } from '../../../src/http/read-body.ts';
import { listenPrivately } from '../../../src/http/unix-socket.ts';
import { CrosswireError } from '../../../src/model/error.ts';
import { wire } from '../../fakes/wires.ts';
import { type Reply, startControl } from '../../support/control.ts';

const codesOf = ({ body }: Reply) => (body as { errors: { code: string }[] }).errors.map(({ code }) => code);
const mode = (path: string) => statSync(path).mode & 0o777;

function temporary(t: { teardown(fn: () => void): void }): string {
  const directory = mkdtempSync(join(tmpdir(), 'crosswire-socket-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

test.serial('the socket is private from its first moment, whatever the umask', async (t) => {
  const path = join(temporary(t), 'deep/er/control.sock');
  const before = process.umask(0);
  t.teardown(() => process.umask(before));
  mkdirSync(join(path, '..'), { recursive: true });
  const server = createServer();
  // bind(2) has happened when listen() returns, long before the event.
  const listen = server.listen.bind(server);
  let atBirth = 0;
  server.listen = ((...args: Parameters<typeof listen>) => {
    const result = listen(...args);
    atBirth = mode(path);
    return result;
  }) as typeof server.listen;
  await listenPrivately(server, path);
  t.is(atBirth, 0o600);
  t.is(mode(path), 0o600);
  t.is(process.umask(), 0, 'the mask is given back');
  server.close();
});

test.serial('a stale socket is replaced; one that answers, or is no socket, stays', async (t) => {
  const directory = temporary(t);
  const path = join(directory, 'control.sock');
  const dying = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', dying]);
  t.true(statSync(path).isSocket(), 'the killed process left its socket');
  const first = createServer();
  await listenPrivately(first, path);
  t.teardown(() => first.close());
  await t.throwsAsync(listenPrivately(createServer(), path), {
    instanceOf: CrosswireError,
    code: 'CONTROL_SOCKET_BUSY',
  });

  const file = join(directory, 'file');
  writeFileSync(file, 'precious');
  await t.throwsAsync(listenPrivately(createServer(), file), { code: 'CONTROL_SOCKET_TAKEN' });
  t.true(statSync(file).isFile());
});

test('a directory that cannot be made', async (t) => {
  const file = join(temporary(t), 'file');
  writeFileSync(file, '');
  const refused = { code: 'CONTROL_SOCKET_REFUSED', message: /EEXIST/ };
  await t.throwsAsync(listenPrivately(createServer(), join(file, 'control.sock')), refused);
});

test('requests that are wrong', async (t) => {
  const { call } = await startControl(t);
  const rows: [Promise<Reply>, number, string][] = [
    [call('GET', '/nothing'), 404, 'ROUTE_UNKNOWN'],
    [call('GET', '/v1/wires/'), 404, 'ROUTE_UNKNOWN'],
    [call('GET', '/v1/wires/%'), 404, 'ROUTE_UNKNOWN'],
    [call('GET', '/v1/wires/..%2F..%2Fetc'), 404, 'WIRE_NOT_FOUND'],
    [call('PATCH', '/v1/wires'), 405, 'METHOD_WRONG'],
    [call('PUT', '/v1/wires', '{'), 400, 'JSON_BROKEN'],
    [call('PUT', '/v1/wires', Buffer.from([0x22, 0xff, 0x22])), 400, 'JSON_BROKEN'],
    [call('PUT', '/v1/wires', '[]'), 400, 'BODY_INVALID'],
    [call('PUT', '/v1/wires', { wires: 1 }), 400, 'BODY_INVALID'],
    [call('PUT', '/v1/wires', { wires: [], more: 1 }), 400, 'BODY_INVALID'],
    [call('PUT', '/v1/wires?dryRun=maybe', { wires: [] }), 400, 'QUERY_INVALID'],
    [call('PUT', '/v1/wires', '{}', { 'content-type': 'text/plain' }), 415, 'CONTENT_TYPE_WRONG'],
    [call('PUT', '/v1/wires'), 415, 'CONTENT_TYPE_WRONG'],
  ];
  for (const [reply, status, code] of rows) {
    const answer = await reply;
    t.is(answer.status, status, JSON.stringify(answer.body));
    t.deepEqual(codesOf(answer), [code]);
  }
  t.is((await call('PATCH', '/v1/wires')).headers['allow'], 'GET, PUT');
});

test('a body that is too long is refused before it is read', async (t) => {
  const { path } = await startControl(t);
  const reply = await new Promise<string>((resolve, reject) => {
    const socket = connect(path);
    let text = '';
    socket.on('data', (chunk) => (text += chunk.toString()));
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
    socket.write(
      `PUT /v1/wires HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${longestBody + 1}\r\n\r\n`,
    );
  });
  t.regex(reply, /^HTTP\/1\.1 413 /);
  t.regex(reply, /BODY_TOO_LARGE/);
  t.regex(reply, /connection: close/i);
});

test('a body without an announced length is bounded as well', async (t) => {
  const { path } = await startControl(t);
  const reply = await new Promise<string>((resolve) => {
    const socket = connect(path);
    let text = '';
    socket.on('data', (chunk) => (text += chunk.toString()));
    socket.on('error', () => undefined); // it closes while we still send
    socket.on('close', () => resolve(text));
    socket.write(
      'PUT /v1/wires HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n',
    );
    const chunk = `100000\r\n${' '.repeat(0x100000)}\r\n`;
    const send = () => {
      while (!socket.destroyed && socket.write(chunk));
    };
    socket.on('drain', send);
    send();
  });
  t.regex(reply, /^HTTP\/1\.1 413 /);
});

test('every error of every document comes back, and nothing is applied', async (t) => {
  const { call, manager } = await startControl(t);
  const bad = { ...toDocument(wire('bad')), kind: 'Wyre', colour: 'red' };
  const reply = await call('PUT', '/v1/wires', { wires: [toDocument(wire('good')), bad] });
  t.is(reply.status, 400);
  t.deepEqual(
    (reply.body as { errors: { code: string; subject: string }[] }).errors.map(({ code, subject }) => [code, subject]),
    [
      ['VALUE_INVALID', 'wires[1].kind'],
      ['KEY_UNKNOWN', 'wires[1].colour'],
    ],
  );
  t.is(manager.wires.size, 0);
});

test("the supervisor's refusal is a conflict; anything unexpected is 500, and told to the log", async (t) => {
  const { call, manager, internalErrors } = await startControl(t);
  manager.refusal = new CrosswireError({
    code: 'INTERFACE_CLAIMED',
    operation: 'apply',
    subject: 'a',
    reason: 'taken',
  });
  t.is((await call('PUT', '/v1/wires', { wires: [] })).status, 409);
  t.is(internalErrors.length, 0);
  manager.refusal = new TypeError('a defect');
  const reply = await call('PUT', '/v1/wires', { wires: [] });
  t.is(reply.status, 500);
  t.deepEqual(codesOf(reply), ['INTERNAL']);
  t.deepEqual(internalErrors, [manager.refusal]);
});

test('counters are exact past 2^53', async (t) => {
  const { call, manager } = await startControl(t);
  await manager.set('api', [wire('web')]);
  t.like((await call('GET', '/v1/wires/web/counters')).body, { client: { rxBytes: '9007199254740993' } });
});

test('stopping lets a request under way finish', async (t) => {
  const { call, manager, server } = await startControl(t);
  let release = () => {};
  const entered = new Promise<void>((resolve) => {
    manager.set = () =>
      new Promise((finish) => {
        release = () => finish([]);
        resolve();
      });
  });
  const reply = call('PUT', '/v1/wires', { wires: [] });
  await entered;
  const stopped = server.stop();
  release();
  t.is((await reply).status, 200);
  await stopped;
  await t.throwsAsync(call('GET', '/v1/status'));
});

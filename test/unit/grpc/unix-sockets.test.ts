// SPDX-License-Identifier: Apache-2.0
// Files sent beside gRPC calls: in both directions, by path and by inode; waits for them; and none stays open.

import { once } from 'node:events';
import { closeSync, constants, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import type { HeldFile } from '../../../src/grpc/unix-sockets.ts';
import { check, openDescriptors, soon, Transport } from '../../nsm/support/transport.ts';

const made: Transport[] = [];
async function transport() {
  const one = await Transport.make();
  made.push(one);
  return one;
}
test.after.always(async () => {
  await Promise.all(made.map((one) => one.remove()));
});
const question = { service: 'question' };

function file(parts: Transport, name: string): string {
  const path = join(parts.directory, name);
  writeFileSync(path, `this is ${name}`);
  return path;
}

function urlOf(path: string): string {
  const { dev, ino } = statSync(path, { bigint: true });
  return `inode://${dev}/${ino}`;
}

test.serial('files go both ways with a call, and are the same inode there', async (t) => {
  const parts = await transport();
  const fromClient = file(parts, 'client.txt');
  const fromServer = file(parts, 'server.txt');
  let seen = '';
  const server = parts.server(async ({ request }, { descriptors }) => {
    const held = (await descriptors?.receive(request.service, soon())) as HeldFile;
    seen = readFileSync(held.path, 'utf8');
    t.is(urlOf(held.path), urlOf(fromClient));
    held.close();
    held.close();
    t.is(await descriptors?.send(fromServer), urlOf(fromServer));
  });
  await server.listen(parts.url);
  const hop = await parts.dialer().dial(parts.url, soon());
  const url = (await hop.peer.descriptors?.send(fromClient)) as string;
  t.is(url, urlOf(fromClient));
  await hop.unary(check, { service: url });
  t.is(seen, 'this is client.txt');
  const held = (await hop.peer.descriptors?.receive(urlOf(fromServer), soon())) as HeldFile;
  t.is(readFileSync(held.path, 'utf8'), 'this is server.txt');
  held.close();
});

test.serial('a thousand calls with files, over one connection and over new ones, leave no descriptor', async (t) => {
  const parts = await transport();
  const path = file(parts, 'namespace');
  const server = parts.server(async ({ request }, { descriptors }) => {
    const held = await descriptors?.receive(request.service, soon());
    held?.close();
    await descriptors?.send(path);
  });
  await server.listen(parts.url);
  const dialer = parts.dialer();
  const call = async (hop: Awaited<ReturnType<typeof dialer.dial>>) => {
    const url = (await hop.peer.descriptors?.send(path)) as string;
    await hop.unary(check, { service: url });
    (await hop.peer.descriptors?.receive(url, soon()))?.close();
  };
  const hop = await dialer.dial(parts.url, soon());
  await call(hop);
  const before = openDescriptors();
  for (let count = 0; count < 1_000; count++) await call(hop);
  t.is(openDescriptors(), before);

  for (let count = 0; count < 100; count++) {
    const fresh = await dialer.dial(parts.url, soon());
    await call(fresh);
    fresh.close();
    await fresh.closed;
  }
  // The other side and the bridge notice the end of the last connection a moment later.
  while (openDescriptors() > before) await new Promise((resolve) => setImmediate(resolve));
  t.is(openDescriptors(), before);
});

test.serial('a file that does not come, that cannot, or that is another’s, is not sent', async (t) => {
  const parts = await transport();
  const path = file(parts, 'mine');
  const first = Promise.withResolvers<void>();
  const server = parts.server(async ({ request }, { descriptors }) => {
    first.resolve();
    (await descriptors?.receive(request.service, AbortSignal.timeout(300)))?.close();
  });
  await server.listen(parts.url);
  const dialer = parts.dialer();
  const mine = await dialer.dial(parts.url, soon());
  const others = await dialer.dial(parts.url, soon());
  const url = (await mine.peer.descriptors?.send(path)) as string;
  await mine.unary(check, { service: url });
  await t.throwsAsync(others.unary(check, { service: url }), { message: /it did not come in time/ });
  await t.throwsAsync(mine.unary(check, { service: 'inode://4' }), { message: /not of the form/ });
  await t.throwsAsync(mine.peer.descriptors?.send('/nowhere') as Promise<string>, { code: 'FILE_NOT_OPENED' });
  const waiting = mine.peer.descriptors?.receive('inode://1/2', soon()) as Promise<HeldFile>;
  const refused = t.throwsAsync(waiting, { code: 'FILE_NOT_SENT' });
  await server.stop(0);
  await refused;
  await t.throwsAsync(mine.peer.descriptors?.receive('inode://1/2', soon()) as Promise<HeldFile>, {
    code: 'FILE_NOT_SENT',
  });
});

test.serial('who asks for a file of a connection that has just ended is told so at once', async (t) => {
  const parts = await transport();
  await parts.server(() => {}).listen(parts.url);
  for (let round = 0; round < 50; round++) {
    const connection = await parts.sockets.dial(parts.socket, soon());
    connection.socket.destroy();
    await once(connection.socket, 'close'); // the addon notices a moment later
    await t.throwsAsync(connection.receive('inode://1/2', soon()), { code: 'FILE_NOT_SENT', message: /closed/ });
  }
});

test.serial('a server is dialled by a descriptor of its socket file', async (t) => {
  const parts = await transport();
  await parts.server(() => {}).listen(parts.url);
  const byPath = 0o10000000; // O_PATH (open(2)); Node has no name for it
  const descriptor = openSync(parts.socket, constants.O_RDONLY | byPath);
  const hop = await parts.dialer().dial(`unix:///proc/self/fd/${descriptor}`, soon());
  closeSync(descriptor);
  t.is((await hop.unary(check, question)).response.status, 1);
});

test.serial('a client that sends thousands of descriptors is put out, and others go on', async (t) => {
  const parts = await transport();
  await parts.server(() => {}).listen(parts.url);
  const other = await parts.dialer().dial(parts.url, soon());
  await other.unary(check, question);
  const before = openDescriptors();
  const hostile = await parts.sockets.dial(parts.socket, soon());
  const paths = Array.from({ length: 1_100 }, (_, number) => file(parts, `many-${number}`));
  for (const path of paths) {
    if (hostile.socket.destroyed) break;
    await hostile.send(path).catch(() => {});
    hostile.socket.write('!');
  }
  hostile.socket.on('error', () => {}).resume();
  if (!hostile.socket.closed) await new Promise((resolve) => hostile.socket.once('close', resolve));
  t.is((await other.unary(check, question)).response.status, 1);
  while (openDescriptors() > before) await new Promise((resolve) => setImmediate(resolve));
  t.is(openDescriptors(), before);
});

// SPDX-License-Identifier: Apache-2.0
// Who is let in, and what a hostile client can do: nothing to others.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { status } from '@grpc/grpc-js';
import test from 'ava';
import type { Identity } from '../../../src/spiffe/identity.ts';
import { TestAuthority } from '../../nsm/support/authority.ts';
import { check, soon, Transport } from '../../nsm/support/transport.ts';

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

/** Resolves when the server has closed the connection. */
async function ended(socket: Socket): Promise<void> {
  socket.on('error', () => {}).resume();
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
}

const raw = (parts: Transport, identity: Identity, more: ConnectionOptions = {}) =>
  connectTls({
    path: parts.socket,
    cert: identity.certificates,
    key: identity.privateKey,
    rejectUnauthorized: false,
    ALPNProtocols: ['h2'],
    ...more,
  });

test('an authority that is not trusted is refused, by the server and by the dialer', async (t) => {
  const parts = await transport();
  await parts.server(() => {}).listen(parts.url);
  const stranger = await (await TestAuthority.create()).issue('client');
  const refusal = await t.throwsAsync(parts.dialer(stranger).dial(parts.url, soon()), { code: 'NEXT_HOP_UNREACHABLE' });
  t.regex(refusal?.message ?? '', /no authority of the trust domain/);
  // One that trusts the server is refused by it.
  const believer = { ...stranger, bundles: parts.authority.bundles };
  await t.throwsAsync(parts.dialer(believer).dial(parts.url, soon()), { code: 'NEXT_HOP_UNREACHABLE' });
  t.true(parts.refusals.some(({ reason }) => /no authority of the trust domain/.test(reason)));
});

test('a federated trust domain is let in by its own bundle', async (t) => {
  const parts = await transport();
  const other = await TestAuthority.create({ trustDomain: 'other.nsm' });
  const both = new Map([...parts.authority.bundles, ...other.bundles]);
  parts.serverIdentity = { ...parts.serverIdentity, bundles: both };
  let caller = '';
  await parts
    .server((_, peer) => {
      caller = peer.spiffeId;
    })
    .listen(parts.url);
  const through = await other.intermediate();
  const hop = await parts.dialer({ ...(await through.issue('guest')), bundles: both }).dial(parts.url, soon());
  await hop.unary(check, question);
  t.is(caller, 'spiffe://other.nsm/guest');
});

test('plain text, TLS without a certificate, without h2, and old TLS are refused', async (t) => {
  const parts = await transport();
  await parts.server(() => {}).listen(parts.url);
  const identity = await parts.authority.issue('client');
  const plain = connect(parts.socket);
  plain.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  await ended(plain);
  await ended(connectTls({ path: parts.socket, rejectUnauthorized: false, ALPNProtocols: ['h2'] }));
  await ended(raw(parts, identity, { ALPNProtocols: ['http/1.1'] }));
  await ended(raw(parts, identity, { ALPNProtocols: undefined }));
  await ended(raw(parts, identity, { maxVersion: 'TLSv1.1', minVersion: 'TLSv1.1' }));
  const reasons = parts.refusals.map(({ reason }) => reason).join('\n');
  t.regex(reasons, /presented no certificate/);
  t.regex(reasons, /no ALPN h2/);
  t.true(parts.refusals.every(({ code }) => code === 'PEER_REFUSED'));
});

test('TLS 1.2 is enough', async (t) => {
  const parts = await transport();
  await parts.server(() => {}).listen(parts.url);
  const socket = raw(parts, await parts.authority.issue('client'), { maxVersion: 'TLSv1.2' });
  await once(socket, 'secureConnect');
  t.is(socket.alpnProtocol, 'h2');
  socket.destroy();
});

test('a rotated identity is used by the next handshake, and old connections end in bounded time', async (t) => {
  const parts = await transport();
  const limits = { connectionAgeMilliseconds: 500, connectionGraceMilliseconds: 500 };
  await parts.server(() => {}, limits).listen(parts.url);
  const first = await parts.dialer().dial(parts.url, soon());
  parts.serverIdentity = await parts.authority.issue('server');
  const second = await parts.dialer().dial(parts.url, soon());
  t.not(first.peer.certificate, second.peer.certificate);
  await Promise.all([first.closed, second.closed]);
});

test.serial('connections that never finish their handshake end, and hold nobody up', async (t) => {
  const parts = await transport();
  await parts.server(() => {}, { handshakeMilliseconds: 2_000, handshakes: 20 }).listen(parts.url);
  const slow = Array.from({ length: 60 }, () => connect(parts.socket));
  for (const socket of slow) socket.on('error', () => {}).write(Buffer.from([0x16, 0x03, 0x01]));
  const hop = await parts.dialer().dial(parts.url, soon());
  t.is((await hop.unary(check, question)).response.status, 1);
  await Promise.all(slow.map(ended));
  t.is(parts.refusals.length, 60);
});

test('an oversized message is refused, and the connection and others go on', async (t) => {
  const parts = await transport();
  await parts.server(() => {}, { messageBytes: 100_000 }).listen(parts.url);
  const hop = await parts.dialer().dial(parts.url, soon());
  const other = await parts.dialer().dial(parts.url, soon());
  const large = hop.unary(check, { service: 'x'.repeat(200_000) });
  await t.throwsAsync(large, { code: status.RESOURCE_EXHAUSTED });
  t.is((await other.unary(check, question)).response.status, 1);
  t.is((await hop.unary(check, question)).response.status, 1);
});

test('more connections than the limit are refused', async (t) => {
  const parts = await transport();
  await parts.server(() => {}, { connections: 2 }).listen(parts.url);
  const hops = [await parts.dialer().dial(parts.url, soon()), await parts.dialer().dial(parts.url, soon())];
  await Promise.all(hops.map((hop) => hop.unary(check, question)));
  await t.throwsAsync(parts.dialer().dial(parts.url, soon()), { code: 'NEXT_HOP_UNREACHABLE' });
  t.deepEqual(
    parts.refusals.map(({ reason }) => reason),
    ['there are 2 connections already'],
  );
});

test('one identity has its part of the connections; others find room, and so does it when one has ended', async (t) => {
  const parts = await transport();
  await parts.server(() => {}, { connectionsOfOne: 1 }).listen(parts.url);
  const first = await parts.dialer().dial(parts.url, soon());
  await t.throwsAsync(parts.dialer().dial(parts.url, soon()), { code: 'NEXT_HOP_UNREACHABLE' });
  const other = await parts.dialer(await parts.authority.issue('other')).dial(parts.url, soon());
  t.is((await other.unary(check, question)).response.status, 1);
  first.close();
  const again = async (): Promise<unknown> => parts.dialer().dial(parts.url, soon()).catch(again);
  await t.notThrowsAsync(again());
});

test('messages that are still worked on or not all there have a bound for each identity, and are given back', async (t) => {
  const parts = await transport();
  const release = Promise.withResolvers<void>();
  const limits = { messageBytes: 100_000, bytesOfOne: 400_000 };
  await parts
    .server(({ request }) => (request.service === 'question' ? undefined : release.promise), limits)
    .listen(parts.url);
  const hop = await parts.dialer().dial(parts.url, soon());
  const other = await parts.dialer(await parts.authority.issue('other')).dial(parts.url, soon());
  const large = Array.from({ length: 8 }, () => hop.unary(check, { service: 'x'.repeat(90_000) }));
  const settled = Promise.allSettled(large);
  await t.throwsAsync(Promise.race(large), { code: status.RESOURCE_EXHAUSTED });
  t.is((await other.unary(check, question)).response.status, 1);
  release.resolve();
  t.is((await settled).filter((one) => one.status === 'fulfilled').length, 4);
  t.is((await hop.unary(check, question)).response.status, 1);
});

// Serial, as the test above: it blocks the process for longer than the handshakes of other tests may take.
test.serial(
  'ten thousand calls at once on one connection: no more than the limit run, others are served',
  async (t) => {
    const parts = await transport();
    let running = 0;
    let most = 0;
    const release = Promise.withResolvers<void>();
    const full = Promise.withResolvers<void>();
    const server = parts.server(
      async ({ request }) => {
        if (request.service === 'quick') return;
        most = Math.max(most, ++running);
        if (running === 16) full.resolve();
        await release.promise;
        running--;
      },
      { streams: 16 },
    );
    await server.listen(parts.url);
    const hop = await parts.dialer().dial(parts.url, soon());
    const other = await parts.dialer().dial(parts.url, soon());
    const abort = new AbortController();
    const calls = Array.from({ length: 10_000 }, () => hop.unary(check, question, { signal: abort.signal }));
    const settled = Promise.allSettled(calls);
    await full.promise;
    t.is((await other.unary(check, { service: 'quick' })).response.status, 1);
    abort.abort();
    release.resolve();
    await settled;
    t.is(most, 16);
  },
);

test('without an identity of its own a server refuses, and a dialer says so', async (t) => {
  const parts = await transport();
  await parts.server(() => {}).listen(parts.url);
  const dialer = parts.dialer();
  parts.serverIdentity = undefined as unknown as Identity;
  await t.throwsAsync(dialer.dial(parts.url, soon()), { code: 'NEXT_HOP_UNREACHABLE' });
  t.regex(parts.refusals[0]?.reason ?? '', /no identity of our own yet/);
});

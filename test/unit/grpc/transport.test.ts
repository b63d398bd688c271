// SPDX-License-Identifier: Apache-2.0
// Calls between the server and the dialer, over unix sockets and TCP, with everything that a call carries.

import { statSync } from 'node:fs';
import { Metadata, status } from '@grpc/grpc-js';
import test from 'ava';
import type { Peer } from '../../../src/grpc/calls.ts';
import { check, monitor, soon, Transport } from '../../nsm/support/transport.ts';

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

for (const url of ['unix', 'tcp://127.0.0.1:0', 'tcp://[::1]:0'])
  test(`${url}: a call tells each side who the other is, and carries token, trace and headers`, async (t) => {
    const parts = await transport();
    let caller: Peer | undefined;
    let metadata = new Metadata();
    const server = parts.server((call, peer) => {
      caller = peer;
      metadata = call.metadata;
      const headers = new Metadata();
      headers.set('path', 'answer');
      call.sendMetadata(headers);
    });
    const bound = await server.listen(url === 'unix' ? parts.url : url);
    const hop = await parts.dialer().dial(bound, soon());
    t.is(hop.url, bound);
    t.is(hop.peer.spiffeId, 'spiffe://test.nsm/server');
    const extra = new Metadata();
    extra.set('mine', 'too');
    const answer = await hop.unary(check, question, { metadata: extra });
    t.is(answer.response.status, 1);
    t.deepEqual(answer.headers.get('path'), ['answer']);
    t.is(caller?.spiffeId, 'spiffe://test.nsm/client');
    t.true(caller?.certificate.startsWith('-----BEGIN CERTIFICATE-----'));
    t.true((caller?.notAfter.getTime() ?? 0) > Date.now());
    t.is(caller?.descriptors !== undefined, url === 'unix');
    t.is(hop.peer.descriptors !== undefined, url === 'unix');
    t.deepEqual(metadata.get('nsm-client-token'), ['for spiffe://test.nsm/server']);
    t.deepEqual(metadata.get('nsm-client-token-expires'), ['2030-01-02T03:04:05.678Z']);
    t.deepEqual(metadata.get('traceparent'), ['00-1-2-01']);
    t.deepEqual(metadata.get('mine'), ['too']);
    hop.close();
    await hop.closed;
  });

test('the socket file is made in its directory for everybody, and goes with the server', async (t) => {
  const parts = await transport();
  const server = parts.server(() => {});
  await server.listen(parts.url);
  t.is(statSync(parts.socket).mode & 0o777, 0o777);
  await server.stop(1_000);
  t.throws(() => statSync(parts.socket), { code: 'ENOENT' });
});

test('a deadline reaches the server, and ends the call there and here', async (t) => {
  const parts = await transport();
  const ended = Promise.withResolvers<void>();
  let left = 0;
  const server = parts.server((call) => {
    left = Number(call.getDeadline()) - Date.now();
    call.on('cancelled', ended.resolve);
    return new Promise(() => {});
  });
  await server.listen(parts.url);
  const hop = await parts.dialer().dial(parts.url, soon());
  const call = hop.unary(check, question, { deadline: new Date(Date.now() + 1_000) });
  await t.throwsAsync(call, { code: status.DEADLINE_EXCEEDED });
  await ended.promise;
  t.true(left > 0 && left <= 1_000);
});

test('aborting cancels a call, and ending an iteration cancels a stream', async (t) => {
  const parts = await transport();
  const started = Promise.withResolvers<void>();
  const cancelled = Promise.withResolvers<void>();
  const server = parts.server((call) => {
    call.on('cancelled', cancelled.resolve);
    started.resolve();
    return new Promise(() => {});
  });
  await server.listen(parts.url);
  const hop = await parts.dialer().dial(parts.url, soon());
  const abort = new AbortController();
  const call = t.throwsAsync(hop.unary(check, question, { signal: abort.signal }), { code: status.CANCELLED });
  await started.promise;
  abort.abort();
  await call;
  await cancelled.promise;

  for await (const event of hop.stream(monitor, { pathSegments: [], networkServices: [] })) {
    t.deepEqual(event.connections, {});
    break;
  }
  const stopping = new AbortController();
  const watch = async () => {
    for await (const _ of hop.stream(monitor, { pathSegments: [], networkServices: [] }, { signal: stopping.signal }))
      stopping.abort();
  };
  await t.throwsAsync(watch(), { code: status.CANCELLED });
});

test('errors of a handler arrive with their status', async (t) => {
  const parts = await transport();
  const server = parts.server(() => {
    throw Object.assign(new Error('no'), { code: status.PERMISSION_DENIED, details: 'a policy refuses it' });
  });
  await server.listen(parts.url);
  const hop = await parts.dialer().dial(parts.url, soon());
  await t.throwsAsync(hop.unary(check, question), { code: status.PERMISSION_DENIED, message: /a policy refuses it/ });
});

test('a next hop knows when its server is gone, and its open calls fail', async (t) => {
  const parts = await transport();
  const started = Promise.withResolvers<void>();
  const server = parts.server(() => {
    started.resolve();
    return new Promise(() => {});
  });
  await server.listen(parts.url);
  const hop = await parts.dialer().dial(parts.url, soon());
  const call = t.throwsAsync(hop.unary(check, question));
  await started.promise;
  await server.stop(0);
  await call;
  await hop.closed;
  await t.throwsAsync(hop.unary(check, question, { deadline: new Date(Date.now() + 5_000) }));
});

test('stop lets open calls end within its grace', async (t) => {
  const parts = await transport();
  const started = Promise.withResolvers<void>();
  const finish = Promise.withResolvers<void>();
  const server = parts.server(() => {
    started.resolve();
    return finish.promise;
  });
  await server.listen(parts.url);
  const hop = await parts.dialer().dial(parts.url, soon());
  const call = hop.unary(check, question);
  await started.promise;
  const stopped = server.stop(60_000);
  await t.throwsAsync(parts.dialer().dial(parts.url, soon()), { code: 'NEXT_HOP_UNREACHABLE' });
  finish.resolve();
  t.is((await call).response.status, 1);
  await stopped;
});

test('who is not there, or does not answer, is unreachable', async (t) => {
  const parts = await transport();
  const dialer = parts.dialer();
  for (const url of [parts.url, 'tcp://127.0.0.1:1', 'k8s:///registry', 'unix://'])
    await t.throwsAsync(dialer.dial(url, soon()), { code: 'NEXT_HOP_UNREACHABLE' }, url);
  await parts.sockets.listen(parts.socket, () => {}); // accepts and is silent
  const abort = new AbortController();
  const dial = dialer.dial(parts.url, abort.signal);
  setImmediate(() => abort.abort());
  await t.throwsAsync(dial, { code: 'NEXT_HOP_UNREACHABLE' });
});

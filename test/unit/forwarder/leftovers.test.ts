// SPDX-License-Identifier: Apache-2.0
// Wires of an earlier run: their client adopts or ends them; nobody else can; unclaimed ones are removed.

import test from 'ava';
import { wireNameOf } from '../../../src/nsm/wire/wire-name.ts';
import { alice, callOf, firstRequest, mallory, refresh, setting } from './service-support.ts';

const wireOfAlice = wireNameOf(alice.id);

/** A killed and restarted forwarder: it knows its wires, but no connection. */
async function restarted() {
  const before = setting();
  const answer = await before.service.request(firstRequest(alice), callOf(before));
  before.service.stop();
  const one = setting();
  for (const [name, wire] of before.wires.wires) one.wires.wires.set(name, wire);
  return { one, answer };
}

test('the client asks again: nothing of its wire changes', async (t) => {
  const { one, answer } = await restarted();
  await one.service.request(refresh(answer), callOf(one));
  t.deepEqual(
    one.wires.applied.map(({ outcome }) => outcome),
    ['unchanged'],
  );
});

test('the client ends: its endpoint gets the Close and its wire is removed, though the connection is unknown', async (t) => {
  const { one, answer } = await restarted();
  await one.service.close(answer, callOf(one));
  t.is(one.wires.wires.size, 0);
  t.is(one.endpoint.closes.length, 1);
  t.like(one.endpoint.closes[0], {
    id: answer.path?.pathSegments[2]?.id,
    networkServiceEndpointName: 'fw-1',
    path: { index: 2, pathSegments: { 2: { token: 'own' }, 3: { id: 'fw-1-1' } } },
  });
  t.is(one.mesh.files.open, 0);
  t.true(one.endpoint.hops.every(({ isClosed }) => isClosed));
});

test('the client ends while its endpoint is gone: its wire is removed', async (t) => {
  const { one, answer } = await restarted();
  one.endpoint.reachable = false;
  await one.service.close(answer, callOf(one));
  t.is(one.wires.wires.size, 0);
  t.is(one.mesh.files.open, 0);
  t.deepEqual(one.warnings, ['the endpoint of a wire of an earlier run did not take the Close']);
});

test('a client that ends and names the connection of another at the endpoint: that connection stays', async (t) => {
  const { one, answer } = await restarted();
  const naming = structuredClone(answer);
  Object.assign(naming.path?.pathSegments[3] as object, { id: 'of-another' });
  await one.service.close(naming, callOf(one));
  t.is(one.wires.wires.size, 0);
  t.deepEqual(one.endpoint.closes, []);
});

test('another client that claims the id gets nothing of the wire, and ends nothing', async (t) => {
  const { one, answer } = await restarted();
  const posing = { ...mallory, id: alice.id };
  await t.throwsAsync(one.service.request(firstRequest(posing), callOf(one)), { code: 'CONNECTION_OF_ANOTHER' });
  const closing = firstRequest(posing).connection;
  if (!closing) throw new Error('a Request without a connection');
  await one.service.close(closing, callOf(one));
  t.deepEqual([...one.wires.wires.keys()], [wireOfAlice]);
  await t.notThrowsAsync(one.service.request(refresh(answer), callOf(one)));
});

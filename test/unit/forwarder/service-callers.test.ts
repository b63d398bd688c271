// SPDX-License-Identifier: Apache-2.0
// Attacks by a member of the mesh that calls the forwarder directly, with its own identity and an invented path.

import test from 'ava';
import { NetworkServiceRequest } from '../../../src/nsm/generated/networkservice.ts';
import { mostOfOneCaller } from '../../../src/forwarder/connections/established-connections.ts';
import { alice, callOf, firstRequest, mallory, refresh, setting, tokenOf } from './service-support.ts';

/** A path as if mallory were both the manager and its client alice; the caller's token is mallory's own. */
function forged(managersId: string, ownId?: string): NetworkServiceRequest {
  const request = firstRequest({ ...alice, inode: mallory.inode }, managersId);
  const segments = request.connection?.path?.pathSegments ?? [];
  const [client] = segments;
  Object.assign(client as object, { token: tokenOf(alice.spiffeId) });
  if (ownId) segments.push({ name: 'forwarder-1', id: ownId, token: '', expires: undefined, metrics: {} });
  return request;
}

test("a caller's token must be of the caller, whatever it is signed with", async (t) => {
  const one = setting();
  const answer = await one.service.request(firstRequest(alice), callOf(one));
  const call = callOf(one, { from: mallory.spiffeId });
  const asManager = { ...call, token: { ...call.token, token: tokenOf(one.mesh.managerId) } as typeof call.token };
  const refused = { code: 'POLICY_REFUSED', message: /prev_token_subject/ };
  await t.throwsAsync(one.service.request(refresh(answer), asManager as typeof call), refused);
  await t.throwsAsync(one.service.close(answer, asManager as typeof call), refused);
  t.is(one.wires.wires.size, 1);
});

test("whoever claims an id of the manager's connections is refused", async (t) => {
  const one = setting();
  const answer = await one.service.request(firstRequest(alice), callOf(one));
  const own = answer.path?.pathSegments[2]?.id as string;
  const attempts = {
    'our id': forged('m-x', own),
    "the manager's id": forged('m-alice-0'),
    both: forged('m-alice-0', own),
  };
  for (const [what, request] of Object.entries(attempts)) {
    const call = callOf(one, { from: mallory.spiffeId });
    await t.throwsAsync(one.service.request(request, call), { code: 'CONNECTION_OF_ANOTHER' }, what);
  }
  t.is(one.wires.applied.length, 1);
  await one.service.close(answer, callOf(one));
  t.is(one.wires.wires.size, 0);
});

test("the client's id alone names another wire for each caller, so none is in another's way", async (t) => {
  const one = setting();
  const early = await one.service.request(forged('m-x', 'chosen'), callOf(one, { from: mallory.spiffeId }));
  t.not(early.path?.pathSegments[2]?.id, 'chosen', 'an id that somebody may come back with cannot be chosen');
  const answer = await one.service.request(firstRequest(alice), callOf(one));
  t.is(one.wires.wires.size, 2);
  await one.service.close(early, callOf(one, { from: mallory.spiffeId }));
  t.is(one.wires.wires.size, 1);
  const again = await one.service.request(refresh(answer), callOf(one));
  t.is(one.service.connections().length, 1);
  await one.service.close(again, callOf(one));
  t.is(one.wires.wires.size, 0);
  t.is(one.mesh.files.open, 0);
});

test('two first Requests at once with the same id do not lose each other', async (t) => {
  const one = setting();
  const calls = [forged('m-1', 'same'), forged('m-2', 'same')].map((request, index) => {
    Object.assign(request.connection?.path?.pathSegments[0] as object, { id: `client-${index}` });
    return one.service.request(request, callOf(one));
  });
  const codes = (await Promise.allSettled(calls)).map((one) => (one.status === 'rejected' ? one.reason.code : 'done'));
  t.deepEqual(codes, ['done', 'CONNECTION_OF_ANOTHER']);
  t.is(one.wires.wires.size, 1);
  one.service.stop();
  t.is(one.mesh.files.open, 0);
});

test('one caller has a limited number of connections; the manager still gets one, and so does the caller after a Close', async (t) => {
  const one = setting();
  const request = (index: number) =>
    one.service.request(
      firstRequest({ ...mallory, id: `mallory-${index}` }),
      callOf(one, { from: mallory.spiffeId, milliseconds: 60_000 }),
    );
  const made = await Promise.all(Array.from({ length: mostOfOneCaller }, (_, index) => request(index)));
  await t.throwsAsync(request(mostOfOneCaller), { code: 'TOO_MANY_CONNECTIONS' });
  await t.notThrowsAsync(one.service.request(firstRequest(alice), callOf(one)));
  await one.service.close(made[0] as (typeof made)[0], callOf(one, { from: mallory.spiffeId }));
  one.endpoint.answering = () => {
    throw new Error('not now');
  };
  for (let times = 0; times < 3; times += 1) await t.throwsAsync(request(mostOfOneCaller), { message: 'not now' });
  one.endpoint.answering = (answer) => answer;
  await t.notThrowsAsync(request(mostOfOneCaller));
});

// SPDX-License-Identifier: Apache-2.0
// The answer of a registry to our registration must pass the configured policies. The manager is a FAKE with given answers; the
// real ones are in test/nsm.

import { Metadata } from '@grpc/grpc-js';
import test from 'ava';
import { type RegistryPolicy, registryPolicies } from '../../../../src/model/registry-policy.ts';
import { NetworkServiceEndpoint } from '../../../../src/nsm/generated/registry.ts';
import type { Identity } from '../../../../src/spiffe/identity.ts';
import { issueToken } from '../../../../src/spiffe/tokens/token.ts';
import { Registration } from '../../../../src/nsm/registry/registration.ts';
import type { NextHop } from '../../../../src/grpc/calls.ts';
import { TestAuthority } from '../../../nsm/support/authority.ts';

const authority = await TestAuthority.create();
const [forwarder, manager, stranger] = (await Promise.all(
  ['fwd', 'nsmgr', 'stranger'].map((name) => authority.issue(name)),
)) as [Identity, Identity, Identity];

async function tokenOf(identity: Identity, { spiffeId: audience, notAfter: audienceNotAfter }: Identity) {
  const { token } = await issueToken({ identity, audience, audienceNotAfter, maxLifetimeMilliseconds: 600_000 });
  return { token };
}
const own = await tokenOf(forwarder, manager);
const good = { Index: 0, PathSegments: [own, await tokenOf(manager, forwarder)] };

/** The result of the first attempt. */
async function outcome(path: string | undefined, policies: readonly RegistryPolicy[]): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const headers = new Metadata();
  if (path !== undefined) headers.set('path', path);
  const hop = {
    url: 'unix:///nsmgr',
    peer: {
      spiffeId: manager.spiffeId,
      certificate: manager.certificates,
      notAfter: manager.notAfter,
      self: forwarder,
    },
    unary: async () => ({ response: NetworkServiceEndpoint.fromPartial({ name: 'fwd' }), headers }),
    stream: async function* () {
      yield* await promise.then((): object[] => []);
    },
  };
  const registration = new Registration(
    { name: 'fwd', service: 'forwarder', labels: {}, listenUrl: 'tcp://127.0.0.1:1', registryPolicies: policies },
    {
      manager: async () => hop as unknown as NextHop,
      onRegistered: () => resolve('registered'),
      onFailed: (error) => resolve((error as { subject: string }).subject),
    },
  );
  registration.start();
  const come = await promise;
  await registration.stop();
  return come;
}

test('the answer of the manager itself is accepted', async (t) => {
  t.is(await outcome(JSON.stringify(good), registryPolicies), 'registered');
});

test('an answer that another signed, that is for another, or that has no path is refused', async (t) => {
  const answered = async (token: object) =>
    outcome(JSON.stringify({ Index: 0, PathSegments: [own, token] }), registryPolicies);
  t.is(await answered(await tokenOf(stranger, forwarder)), 'tokens_chained');
  t.is(await answered({ token: 'x' }), 'tokens_valid');
  t.is(await answered({}), 'tokens_valid');
  for (const path of [undefined, '', '{', 'null', '{"PathSegments":null}', '{"PathSegments":[null]}'])
    t.is(await outcome(path, registryPolicies), 'next_token_signed', path);
});

test('a short life: the call is shorter still, and the entry renewed before the manager forgets it that much earlier', async (t) => {
  const self = { ...forwarder, notAfter: new Date(Date.now() + 40_000) };
  const calls: { begun: number; deadline: number }[] = [];
  const { promise: renewed, resolve } = Promise.withResolvers<void>();
  const hop = {
    url: 'unix:///nsmgr',
    peer: { spiffeId: manager.spiffeId, certificate: manager.certificates, notAfter: manager.notAfter, self },
    unary: async (_method: unknown, _request: unknown, { deadline }: { deadline: Date }) => {
      calls.push({ begun: Date.now(), deadline: deadline.getTime() });
      if (calls.length === 2) resolve();
      const expirationTime = deadline; // dropped at once, so renewed as soon as possible
      return { response: NetworkServiceEndpoint.fromPartial({ name: 'fwd', expirationTime }), headers: new Metadata() };
    },
    stream: async function* () {
      yield* await renewed.then((): object[] => []);
    },
  };
  const registration = new Registration(
    { name: 'fwd', service: 'forwarder', labels: {}, listenUrl: 'tcp://127.0.0.1:1', registryPolicies: [] },
    {
      manager: async () => hop as unknown as NextHop,
      onRegistered: () => {},
      onFailed: (error) => t.fail(String(error)),
    },
  );
  registration.start();
  await renewed;
  await registration.stop();
  const [first, second] = calls as [(typeof calls)[0], (typeof calls)[0]];
  t.true(first.deadline < self.notAfter.getTime() - 25_000, 'a quarter of what is left');
  t.true(second.begun - first.begun < 5_000, 'two thirds of all of it would be more');
});

test('only the configured policies are checked', async (t) => {
  t.is(await outcome(undefined, []), 'registered');
  const forged = JSON.stringify({ Index: 0, PathSegments: [own, await tokenOf(stranger, forwarder)] });
  t.is(await outcome(forged, ['tokens_valid', 'tokens_expired']), 'registered');
  t.is(await outcome(forged, ['next_token_signed']), 'next_token_signed');
});

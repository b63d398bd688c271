// SPDX-License-Identifier: Apache-2.0
// When the connection to the manager is replaced. The dialer and the connections are FAKES.

import test from 'ava';
import { Manager } from '../../../../src/nsm/registry/manager.ts';
import type { Dialer } from '../../../../src/grpc/calls.ts';
import { FakeMesh, FakeNextHop } from '../../../fakes/mesh.ts';

const { signal } = new AbortController();

function setting() {
  const dialled: FakeNextHop[] = [];
  const stream = async function* () {};
  const peer = new FakeMesh().peer('spiffe://test/nsmgr');
  const dialer: Dialer = {
    dial: async (url) => {
      const hop = new FakeNextHop(url, { ...peer, self: { ...peer.self } }, { stream });
      dialled.push(hop);
      return hop;
    },
  };
  return { dialled, manager: new Manager('unix:///nsmgr', dialer, 1_000) };
}

test('one connection serves all', async (t) => {
  const { dialled, manager } = setting();
  t.is(await manager.connect(signal), await manager.connect(signal));
  t.is(dialled.length, 1);
  t.true(manager.isKnownAs('spiffe://test/nsmgr'));
});

test('a connection that is gone is replaced', async (t) => {
  const { dialled, manager } = setting();
  const first = await manager.connect(signal);
  first.close();
  await first.closed;
  t.not(await manager.connect(signal), first);
  t.is(dialled.length, 2);
});

test('an outdated connection is replaced once, for all callers; its open calls may end', async (t) => {
  const { dialled, manager } = setting();
  await manager.connect(signal);
  const [first] = dialled as [FakeNextHop];
  first.outdated = true;
  const [one, other] = await Promise.all([manager.connect(signal), manager.connect(signal)]);
  t.is(one, other);
  t.is(dialled.length, 2);
  t.false(first.isClosed);
  manager.close();
  t.true(first.isClosed);
});

test('an outdated connection is closed when the certificate of its handshake expires', async (t) => {
  const { dialled, manager } = setting();
  await manager.connect(signal);
  const [first] = dialled as [FakeNextHop];
  first.outdated = true;
  Object.assign(first.peer.self, { notAfter: new Date() });
  const alive = setInterval(() => {}, 1000); // the manager's timer is unreferenced
  await manager.connect(signal);
  await first.closed;
  clearInterval(alive);
  t.false(dialled[1]?.isClosed);
});

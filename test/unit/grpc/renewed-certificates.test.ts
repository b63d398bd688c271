// SPDX-License-Identifier: Apache-2.0
// Connections that are older than the certificates of now.

import test from 'ava';
import { checkClientPolicies, checkServerPolicies } from '../../../src/spiffe/tokens/policies.ts';
import { tokenFor } from '../../../src/spiffe/tokens/token.ts';
import type { Peer } from '../../../src/grpc/calls.ts';
import { check, soon, Transport } from '../../nsm/support/transport.ts';

const minute = 60_000;

test('tokens go with the certificates of their connection, which a newer one would replace', async (t) => {
  const parts = await Transport.make();
  t.teardown(() => parts.remove());
  let caller: Peer | undefined;
  await parts
    .server((_, peer) => {
      caller = peer;
    })
    .listen(parts.url);
  const dialer = parts.dialer();
  const hop = await dialer.dial(parts.url, soon());
  t.false(hop.outdated);
  parts.serverIdentity = await parts.authority.issue('server');
  parts.clientIdentity = await parts.authority.issue('client');
  t.true(hop.outdated);

  await hop.unary(check, { service: '' });
  const { certificate } = caller as unknown as Peer;
  const segments = [await tokenFor(hop.peer, minute), await tokenFor(caller as unknown as Peer, minute)];
  await t.notThrowsAsync(checkServerPolicies(segments, certificate));
  await t.notThrowsAsync(checkClientPolicies({ index: 0, pathSegments: segments }, hop.peer.certificate));

  const next = await dialer.dial(parts.url, soon());
  t.false(next.outdated);
  t.not(next.peer.certificate, hop.peer.certificate);
  await next.unary(check, { service: '' });
  t.not((caller as unknown as Peer).certificate, certificate);
});

test('a connection is outdated before the certificate of the peer ends', async (t) => {
  const parts = await Transport.make();
  t.teardown(() => parts.remove());
  const notAfter = new Date(Date.now() + 6_000);
  parts.serverIdentity = await parts.authority.issue('server', { notAfter });
  await parts.server(() => {}).listen(parts.url);
  const hop = await parts.dialer().dial(parts.url, soon());
  while (!hop.outdated && Date.now() < notAfter.getTime()) await new Promise((turn) => setTimeout(turn, 20));
  t.true(hop.outdated);
});

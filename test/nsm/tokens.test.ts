// SPDX-License-Identifier: Apache-2.0
// h: tokens broken in every way that the policies name (contract 3.3: common and server) are refused.

import { status } from '@grpc/grpc-js';
import { UnsecuredJWT } from 'jose';
import { Attacker } from './support/attacker.ts';
import { scenario } from './support/scenario.ts';

scenario('h: broken tokens are refused, a good one is not', async (t, mesh) => {
  const attacker = await Attacker.start(mesh, await mesh.node.startForwarder());
  const other = await mesh.authority.issue('other');
  const past = Math.floor(Date.now() / 1000) - 5;
  const manager = 'spiffe://test.nsm/nsmgr-node1';
  const broken: Record<string, string | undefined> = {
    'no token': undefined,
    'an empty one': '',
    'no JWT': 'e30.e30',
    'not signed': new UnsecuredJWT({
      sub: attacker.self.spiffeId,
      aud: [`spiffe://test.nsm/forwarder-node1`],
    }).encode(),
    expired: await attacker.token({ exp: past }),
    'without an expiry': await attacker.token({ exp: undefined }),
    'signed by another': await attacker.token({}, other),
    'in the name of another': await attacker.token({ sub: manager }),
    'for another audience': await attacker.token({ aud: [manager] }),
    'an audience that is no list': await attacker.token({ aud: 'spiffe://test.nsm/forwarder-node1' }),
  };
  for (const [how, token] of Object.entries(broken))
    t.is(await attacker.request(attacker.connection(), token), status.PERMISSION_DENIED, how);

  const good = await attacker.token();
  const before: Record<string, string> = {
    'of an earlier hop, expired': await attacker.token({ exp: past, aud: [attacker.self.spiffeId] }, other),
    'of an earlier hop, not for us': await attacker.token({ sub: other.spiffeId, aud: [manager] }, other),
    'of an earlier hop, no JWT': 'nonsense',
  };
  for (const [how, token] of Object.entries(before)) {
    const connection = attacker.connection([{ name: 'other', id: 'other-0', token }]);
    t.is(await attacker.request(connection, good), status.PERMISSION_DENIED, how);
  }

  // Refused because of the request, not because of the caller.
  const honest = await attacker.request(attacker.connection(), good);
  t.not(honest, status.OK);
  t.not(honest, status.PERMISSION_DENIED);
  t.deepEqual(await mesh.node.forwarder.wires(), []);
});

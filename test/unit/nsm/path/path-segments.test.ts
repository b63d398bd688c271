// SPDX-License-Identifier: Apache-2.0

import test from 'ava';
import { Connection } from '../../../../src/nsm/generated/connection.ts';
import { clientOf } from '../../../../src/nsm/path/path-segments.ts';
import { tokenOf } from '../../forwarder/service-support.ts';

test('the client is who the first token says; what cannot be read is nobody', (t) => {
  const of = (token: string) => clientOf(Connection.fromPartial({ path: { index: 0, pathSegments: [{ token }] } }));
  t.is(of(tokenOf('spiffe://test/a')), 'spiffe://test/a');
  for (const token of ['', 'x', 'a.b.c', `a.${Buffer.from('{"sub":5}').toString('base64url')}.c`, 'a.bnVsbA.c'])
    t.is(of(token), '');
  t.is(clientOf(Connection.fromPartial({})), '');
});

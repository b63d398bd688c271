// SPDX-License-Identifier: Apache-2.0
// The context of a connection on its way to the endpoint and back, over the fake mesh of test/fakes/mesh.ts.

import test from 'ava';
import { ConnectionContext } from '../../../src/nsm/generated/connectioncontext.ts';
import { wireNameOf } from '../../../src/nsm/wire/wire-name.ts';
import { alice, callOf, firstRequest, refresh, setting, settingOf } from './service-support.ts';

const tunnel = { address: '10.0.0.1', ports: { vxlan: 4789 }, mtu: 1500 };
const vxlan = (mtu: Record<string, string>) => {
  const parameters: Record<string, string> = { src_ip: '10.0.0.2', ...mtu };
  return { cls: 'REMOTE', type: 'VXLAN', parameters };
};
const wireOfAlice = wireNameOf(alice.id);

for (const [what, mechanism, context, heard] of [
  ['nobody says', undefined, 0, 9000],
  ['the client wants less', undefined, 1400, 1400],
  ['our tunnel to the caller is the narrowest', vxlan({ MTU: '1500' }), 9000, 1446],
  ['the tunnel of the caller is the narrowest', vxlan({ MTU: '1380' }), 0, 1380],
  ['the caller does not say what its tunnel takes', vxlan({}), 0, 1446],
  ['the context is narrower than any tunnel', vxlan({ MTU: '1446' }), 1300, 1300],
] as const)
  test(`the endpoint hears an MTU of ${heard} where ${what}`, async (t) => {
    const one = settingOf({ tunnel });
    const asked = firstRequest(alice);
    if (mechanism) asked.mechanismPreferences = [mechanism];
    Object.assign(asked.connection as object, { context: ConnectionContext.fromPartial({ MTU: context }) });
    const { mechanism: answered } = await one.service.request(asked, callOf(one));
    t.is(one.endpoint.requests[0]?.connection?.context?.MTU, heard);
    t.is(one.wires.wires.get(wireOfAlice)?.mtu, heard);
    if (mechanism)
      t.is(Number(answered?.parameters['MTU']), Math.min(1446, Number(mechanism.parameters['MTU'] ?? 1446)));
  });

test('parts of the context that a forwarder does not use pass unchanged', async (t) => {
  const one = setting();
  const asked = firstRequest(alice);
  const context = ConnectionContext.fromPartial({
    ipContext: {
      excludedPrefixes: ['10.96.0.0/12'],
      extraPrefixRequest: [{ addrFamily: { family: 1 }, prefixLen: 64 }],
    },
    dnsContext: { configs: [{ dnsServerIps: ['10.0.0.53'], searchDomains: ['example'] }] },
    extraContext: { key: 'value' },
  });
  Object.assign(asked.connection as object, { context });
  await one.service.request(asked, callOf(one));
  t.deepEqual(one.endpoint.requests[0]?.connection?.context, { ...context, MTU: 9000 });
});

test('a refresh brings changes of the endpoint into the established wire', async (t) => {
  const one = setting();
  const answer = await one.service.request(firstRequest(alice), callOf(one));
  one.endpoint.answering = (made) => {
    const ipContext = { srcIpAddrs: ['10.0.0.2/32', '10.0.0.6/32'], dstIpAddrs: ['10.0.0.1/32'] };
    return { ...made, context: ConnectionContext.fromPartial({ MTU: 1400, ipContext }) };
  };
  await one.service.request(refresh(answer), callOf(one));
  t.is(one.wires.applied.at(-1)?.outcome, 'changed');
  t.like(one.wires.wires.get(wireOfAlice), {
    mtu: 1400,
    client: { mechanism: { interface: 'nsm-1', addresses: ['10.0.0.2/32', '10.0.0.6/32'] } },
  });
});

// SPDX-License-Identifier: Apache-2.0
// Services of other domains, `service@domain`: the manager and its proxies find them and translate the addresses of tunnels
// (sdk, pkg/networkservice/common/swapip); a forwarder carries names and original addresses, and tunnels to the translated.

import test from 'ava';
import { State } from '../../../src/nsm/generated/connection.ts';
import { wireNameOf } from '../../../src/nsm/wire/wire-name.ts';
import { FakeEndpoint } from '../../fakes/mesh.ts';
import { alice, callOf, firstRequest, refresh, settingOf } from './service-support.ts';

const tunnel = { address: '10.0.0.1', ports: { vxlan: 4789 }, mtu: 1500 };

/** An endpoint behind a proxy, with the proxy's answer for the far node. */
function settingBehindProxy() {
  const endpoint = new FakeEndpoint('web-1@far.example', 1);
  endpoint.url = 'tcp://nsmgr-proxy:5004';
  endpoint.answering = (answer) => {
    const parameters = {
      src_ip: '10.0.0.1',
      orig_src_ip: '',
      src_port: '4789',
      dst_ip: '203.0.113.9',
      orig_dst_ip: '172.18.0.9',
      dst_port: '4789',
      vni: '4',
      MTU: '1446',
    };
    return { ...answer, mechanism: { cls: 'REMOTE', type: 'VXLAN', parameters } };
  };
  const one = settingOf({ tunnel }, endpoint);
  one.mesh.service = 'web@far.example';
  return { ...one, endpoint };
}

test('a service of another domain: names as they are, and a tunnel to the translated address', async (t) => {
  const one = settingBehindProxy();
  const asked = firstRequest(alice, undefined, 'web@far.example');
  const answer = await one.service.request(asked, callOf(one));
  t.like(answer, {
    state: State.UP,
    networkService: 'web@far.example',
    networkServiceEndpointName: 'web-1@far.example',
    mechanism: { type: 'KERNEL' },
  });
  const [offered] = one.endpoint.requests[0]?.mechanismPreferences ?? [];
  t.like(offered, { type: 'VXLAN', parameters: { src_ip: '10.0.0.1', src_port: '4789', MTU: '1446' } });
  t.like(one.wires.wires.get(wireNameOf(alice.id)), {
    networkService: 'web@far.example',
    endpoint: { pod: 'web-1@far.example', mechanism: { local: '10.0.0.1', remote: '203.0.113.9', vni: 4 } },
  });
});

test('a refresh, and the Close, bring the proxy its original addresses back', async (t) => {
  const one = settingBehindProxy();
  const answer = await one.service.request(firstRequest(alice, undefined, 'web@far.example'), callOf(one));
  const again = await one.service.request(refresh(answer), callOf(one));
  const mechanism = { parameters: { dst_ip: '203.0.113.9', orig_dst_ip: '172.18.0.9', vni: '4' } };
  t.like(one.endpoint.requests[1]?.connection, { networkServiceEndpointName: 'web-1@far.example', mechanism });
  t.is(one.wires.applied.at(-1)?.outcome, 'unchanged');
  await one.service.close(again, callOf(one));
  t.like(one.endpoint.closes[0], { networkServiceEndpointName: 'web-1@far.example', mechanism });
});

test('for a caller of another domain the tunnel is numbered by original addresses, and leads to the translated one', async (t) => {
  const one = settingOf({ tunnel });
  const asked = firstRequest(alice);
  // 10.0.0.9 is above our address, 9.9.9.9 below it; a stale address of ours is the caller's mistake.
  const parameters = {
    src_ip: '9.9.9.9',
    orig_src_ip: '10.0.0.9',
    src_port: '4789',
    dst_ip: '198.51.100.1',
    orig_dst_ip: '',
  };
  asked.mechanismPreferences = [{ cls: 'REMOTE', type: 'VXLAN', parameters }];
  const { mechanism } = await one.service.request(asked, callOf(one));
  t.like(mechanism?.parameters, { src_ip: '9.9.9.9', orig_src_ip: '10.0.0.9', dst_ip: '10.0.0.1', orig_dst_ip: '' });
  t.is(Number(mechanism?.parameters['vni']) % 2, 1);
  t.like(one.wires.wires.get(wireNameOf(alice.id))?.client.mechanism, { local: '10.0.0.1', remote: '9.9.9.9' });
});

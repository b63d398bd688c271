// SPDX-License-Identifier: Apache-2.0
// Endpoints that answer VLAN, over a FAKE mesh: the answer becomes a wire behind a device of this node.

import test from 'ava';
import { parseDeviceSelectors } from '../../../src/options/device-selectors.ts';
import { CrosswireError } from '../../../src/model/error.ts';
import type { Connection } from '../../../src/nsm/generated/connection.ts';
import { NetworkServiceRequest } from '../../../src/nsm/generated/networkservice.ts';
import { wireNameOf } from '../../../src/nsm/wire/wire-name.ts';
import { FakeEndpoint } from '../../fakes/mesh.ts';
import { alice, callOf, firstRequest, refresh, settingOf } from './service-support.ts';

const gateways = {
  deviceOf: (via: string) => ({ gw1: 'ens2f0', gw2: 'gone0' })[via],
  mtuOf: async (device: string) => {
    if (device === 'ens2f0') return 1700;
    throw new CrosswireError({ code: 'HOST_DEVICE_MISSING', operation: 'find', subject: device, reason: 'none' });
  },
};

/** As cmd-nse-remote-vlan answers: the gateway in place of all labels, the MTU left open. */
function remoteVlan(vlanId = '100', via = 'gw1', MTU = 0): FakeEndpoint {
  const endpoint = new FakeEndpoint('vlan-1', 1);
  endpoint.url = 'tcp://10.0.0.9:5003';
  endpoint.answering = (answer): Connection => ({
    ...answer,
    labels: { via },
    mechanism: { cls: 'REMOTE', type: 'VLAN', parameters: { 'vlan-id': vlanId } },
    context: answer.context && { ...answer.context, MTU },
  });
  return endpoint;
}

const wireOfAlice = wireNameOf(alice.id);

test('the wire leads behind the device of the gateway; its mtu is the length; who the client is stays known', async (t) => {
  const one = settingOf({ gateways }, remoteVlan());
  let answer = await one.service.request(firstRequest(alice), callOf(one));
  for (let round = 0; round < 3; round++) {
    t.like(one.wires.wires.get(wireOfAlice), {
      mtu: 1700,
      client: { pod: 'alice', mechanism: { type: 'kernel', interface: 'nsm-1' } },
      endpoint: { pod: 'vlan-1', mechanism: { type: 'vlan', device: 'ens2f0', id: 100 } },
    });
    t.like(answer, { labels: { via: 'gw1' }, context: { MTU: 1700 }, mechanism: { type: 'KERNEL' } });
    answer = await one.service.request(refresh(answer), callOf(one));
  }
  t.deepEqual(new Set(one.wires.applied.slice(1).map(({ outcome }) => outcome)), new Set(['unchanged']));
  t.deepEqual(
    one.endpoint.requests[0]?.mechanismPreferences.map(({ type }) => type),
    ['VLAN'],
  );
  t.is(one.endpoint.requests[1]?.connection?.mechanism?.parameters['vlan-id'], '100');
});

test('an endpoint may ask for less than the device has', async (t) => {
  const one = settingOf({ gateways }, remoteVlan('0', 'gw1', 1400));
  t.like(await one.service.request(firstRequest(alice), callOf(one)), { context: { MTU: 1400 } });
  t.like(one.wires.wires.get(wireOfAlice), { mtu: 1400, endpoint: { mechanism: { type: 'vlan', id: 0 } } });
});

for (const [title, endpoint, code, message] of [
  ['a gateway without a device', remoteVlan('100', 'elsewhere'), 'MECHANISM_PARAMETER', /names no device/],
  ['a device that is not there', remoteVlan('100', 'gw2'), 'HOST_DEVICE_MISSING', /gone0/],
  ['an id beyond 4094', remoteVlan('4095'), 'MECHANISM_PARAMETER', /no VLAN identifier/],
  ['no id', remoteVlan(''), 'MECHANISM_PARAMETER', /no VLAN identifier/],
  ['words for an id', remoteVlan('1e2'), 'MECHANISM_PARAMETER', /no VLAN identifier/],
] as const) {
  test(`${title}: refused, and closed at the endpoint`, async (t) => {
    const one = settingOf({ gateways }, endpoint);
    const error = await t.throwsAsync(one.service.request(firstRequest(alice), callOf(one)), { code });
    t.regex(error?.message ?? '', message);
    t.is(endpoint.closes.length, 1);
    t.deepEqual([one.wires.wires.size, one.mesh.files.open], [0, 0]);
  });
}

test('for a client with memif it is offered where its MAC address is known, and so the wire knows it', async (t) => {
  const asked = firstRequest(alice);
  asked.mechanismPreferences = [
    { cls: 'LOCAL', type: 'MEMIF', parameters: { inodeURL: `inode://4/${alice.inode}`, socketfile: '@nsm' } },
  ];
  const srcMac = '02:00:5e:10:00:01';
  const withMac = structuredClone(asked);
  Object.assign(withMac.connection!, { context: { extraContext: {}, ethernetContext: { srcMac } } });
  const other = settingOf({ gateways }, remoteVlan());
  await other.service.request(NetworkServiceRequest.fromPartial(withMac), callOf(other));
  t.like([...other.wires.wires.values()][0], {
    client: { mechanism: { type: 'memif', mac: srcMac } },
    endpoint: { mechanism: { type: 'vlan' } },
  });

  const one = settingOf({ gateways }, remoteVlan());
  await t.throwsAsync(one.service.request(asked, callOf(one)), { code: 'MECHANISM_UNSUPPORTED' });
  t.is(one.endpoint.requests.length, 0);
});

test('the device selector file: gateways by device, the later one counts; what is wrong with it is told', (t) => {
  const text = `
interfaces:
  - { name: eth1, matches: [{ labelSelector: [{ via: a }, { via: b }] }] }
  - name: eth2
    matches:
      - labelSelector:
          - via: b
      - labelSelector:
          - via: c
`;
  t.deepEqual(
    [...parseDeviceSelectors(text, 'f')],
    [
      ['a', 'eth1'],
      ['b', 'eth2'],
      ['c', 'eth2'],
    ],
  );
  t.is(parseDeviceSelectors('', 'f').size, 0);
  for (const [bad, code, message] of [
    ['interfaces: [', 'YAML_BROKEN', /./],
    ['interfaces: [{ name: eth1 }]', 'VALUE_INVALID', /interfaces\.0\.matches/],
    ['interfaces: [{ name: a/b, matches: [] }]', 'VALUE_INVALID', /interface name cannot/],
    ['interfaces: [{ name: e, matches: [{ labelSelector: [{ vlan: 3 }] }] }]', 'VALUE_INVALID', /via|vlan/],
    ['bridges: []', 'VALUE_INVALID', /bridges/],
  ] as const) {
    const error = t.throws(() => parseDeviceSelectors(bad, 'f'), { code });
    t.regex(error?.message ?? '', message);
  }
});

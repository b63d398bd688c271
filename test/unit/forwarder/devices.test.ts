// SPDX-License-Identifier: Apache-2.0
// Connections that end in a virtual function, over the fake mesh. Choosing the function is the supervisor's part.

import test from 'ava';
import { CrosswireError } from '../../../src/model/error.ts';
import { Connection, type Mechanism } from '../../../src/nsm/generated/connection.ts';
import { NetworkServiceRequest } from '../../../src/nsm/generated/networkservice.ts';
import type { SharedDevices } from '../../../src/nsm/mechanisms/devices.ts';
import { tokenOf } from '../../../src/nsm/wire/wire-document.ts';
import { FakeEndpoint } from '../../fakes/mesh.ts';
import { alice, callOf, type Client, firstRequest, refresh, setting, settingWith } from './service-support.ts';

const resource = 'worker.domain/10G';
const token = 'sriov-01234567-89ab-4def-8123-456789abcdef';
const endpointToken = 'sriov-11234567-89ab-4def-8123-456789abcdef';

const devices: SharedDevices = {
  resourceOf: (id) => {
    if (id === token || id === endpointToken) return resource;
    throw new CrosswireError({ code: 'TOKEN_UNUSABLE', operation: 'use', subject: id, reason: 'unknown' });
  },
  portFor: async () => 'eth0',
  controlGroupOf: (directory) => `/host/cgroup/${directory}`,
};

const kernelWith = (tokenID: string) => ({ inodeURL: `inode://4/${alice.inode}`, name: 'nsm-1', tokenID });

function requestOf(type: string, parameters: Mechanism['parameters'], client: Client = alice) {
  const mechanismPreferences = [{ cls: 'LOCAL', type, parameters }];
  return NetworkServiceRequest.fromPartial({ ...firstRequest(client), mechanismPreferences });
}

/** An endpoint with a device of its own, somewhere on the NIC's network. */
function endpointOfItsOwn(vlanTag = 0): FakeEndpoint {
  const endpoint = new FakeEndpoint('fw-1', 1);
  endpoint.answering = (answer) =>
    Connection.fromPartial({
      ...answer,
      mechanism: { cls: 'LOCAL', type: 'NOOP' },
      context: { ...answer.context, ethernetContext: { srcMac: '02:00:5e:10:00:01', vlanTag } },
    });
  return endpoint;
}

const onlyWire = ({ wires }: ReturnType<typeof settingWith>) => [...wires.wires.values()][0];
const offered = ({ endpoint }: ReturnType<typeof settingWith>) =>
  endpoint.requests[0]?.mechanismPreferences.map(({ type }) => type);

test('KERNEL with a token, towards an endpoint with a device of its own', async (t) => {
  const one = settingWith(devices, endpointOfItsOwn(100));
  const answer = await one.service.request(requestOf('KERNEL', kernelWith(token)), callOf(one));
  t.deepEqual(offered(one), ['NOOP', 'KERNEL']);
  const wire = onlyWire(one);
  t.like(wire, {
    client: { mechanism: { type: 'kernel', interface: 'nsm-1', mac: '02:00:5e:10:00:01', device: { resource } } },
    endpoint: { mechanism: { type: 'vlan', device: 'eth0', id: 100 } },
  });
  t.is(wire && tokenOf(wire, 'client'), token);
  t.is(wire?.mtu, undefined);
  t.like(answer.mechanism, { type: 'KERNEL', parameters: { ...kernelWith(token), pciAddress: '0000:01:10.0' } });
});

test('a refresh changes nothing, and stays behind the same NIC', async (t) => {
  let port = 'eth0';
  const one = settingWith({ ...devices, portFor: async () => port }, endpointOfItsOwn());
  const answer = await one.service.request(requestOf('KERNEL', kernelWith(token)), callOf(one));
  const before = onlyWire(one);
  port = 'eth1';
  await one.service.request(refresh(answer), callOf(one));
  t.deepEqual(onlyWire(one), before);
});

test('an endpoint may answer KERNEL with a token of its own, or with none', async (t) => {
  for (const tokenID of [endpointToken, '']) {
    const endpoint = new FakeEndpoint('fw-1', 1);
    const parameters = { inodeURL: 'inode://4/1001', name: 'if-1', ...(tokenID ? { tokenID } : {}) };
    endpoint.answering = (answer) =>
      Connection.fromPartial({ ...answer, mechanism: { cls: 'LOCAL', type: 'KERNEL', parameters } });
    const one = settingWith(devices, endpoint);
    await one.service.request(requestOf('KERNEL', kernelWith(token)), callOf(one));
    const wire = onlyWire(one);
    t.is(wire && tokenOf(wire, 'endpoint'), tokenID || undefined);
    t.like(wire?.endpoint.mechanism, { type: 'kernel', device: tokenID ? { resource } : undefined });
  }
});

test('NOOP asked by the forwarder of a client elsewhere, for an endpoint with a device of its own: passed on, no wire', async (t) => {
  const one = setting(endpointOfItsOwn(100));
  const asked = requestOf('NOOP', {});
  const answer = await one.service.request(asked, callOf(one));
  t.deepEqual(offered(one), ['NOOP']);
  t.like(one.endpoint.requests[0]?.connection, { context: { MTU: 0 } }, 'its NIC knows what it carries');
  t.like(answer, { mechanism: { type: 'NOOP' }, context: { ethernetContext: { vlanTag: 100 } }, path: { index: 1 } });
  t.is(one.wires.applied.length, 0);
  const again = await one.service.request(refresh(answer), callOf(one));
  t.like(one.endpoint.requests[1]?.connection, { mechanism: { type: 'NOOP' } });
  t.is(one.service.connections().length, 1);
  await one.service.close(again, callOf(one));
  t.like(one.endpoint.closes[0], { mechanism: { type: 'NOOP' } });
  t.deepEqual([one.service.connections(), one.mesh.files.open, one.warnings], [[], 0, []]);
});

test('VFIO: the answer has what the client makes its device nodes of', async (t) => {
  const one = settingWith(devices, endpointOfItsOwn());
  const parameters = { cgroupDir: 'kubepods/pod1/*', tokenID: token };
  const answer = await one.service.request(requestOf('VFIO', parameters), callOf(one));
  t.like(onlyWire(one)?.client.mechanism, {
    type: 'vfio',
    device: { resource },
    cgroup: '/host/cgroup/kubepods/pod1/*',
    mac: '02:00:5e:10:00:01',
  });
  t.deepEqual(answer.mechanism?.parameters, {
    ...parameters,
    pciAddress: '0000:01:10.0',
    iommuGroup: '7',
    vfioMajor: '10',
    vfioMinor: '196',
    deviceMajor: '240',
    deviceMinor: '3',
  });
});

test('what cannot be had is refused, and nothing is left', async (t) => {
  const without = setting(endpointOfItsOwn());
  const cases = [
    [without, requestOf('KERNEL', kernelWith(token)), 'MECHANISM_PARAMETER'],
    [without, requestOf('VFIO', { cgroupDir: 'x', tokenID: token }), 'MECHANISM_UNSUPPORTED'],
    [settingWith(devices, endpointOfItsOwn()), requestOf('KERNEL', kernelWith('sriov-?')), 'TOKEN_UNUSABLE'],
    [settingWith(devices, endpointOfItsOwn()), requestOf('VFIO', { cgroupDir: 'x' }), 'MECHANISM_PARAMETER'],
    [settingWith(devices, endpointOfItsOwn()), requestOf('VFIO', { tokenID: token }), 'MECHANISM_PARAMETER'],
  ] as const;
  for (const [one, request, code] of cases) {
    await t.throwsAsync(one.service.request(request, callOf(one)), { code });
    t.is(one.wires.wires.size, 0);
    t.is(one.mesh.files.open, 0);
  }
});

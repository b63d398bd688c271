// SPDX-License-Identifier: Apache-2.0
// A connection translates to a wire document like any other.

import test from 'ava';
import { readDocument } from '../../../../src/wire/wire-document.ts';
import { Connection } from '../../../../src/nsm/generated/connection.ts';
import { choosePath } from '../../../../src/plan/path.ts';
import type { Agreement } from '../../../../src/nsm/mechanisms/mechanism.ts';
import { wireDocumentOf } from '../../../../src/nsm/wire/wire-document.ts';

const connection = Connection.fromPartial({
  id: 'c1',
  networkService: 'icmp',
  payload: 'ETHERNET',
  networkServiceEndpointName: 'nse-1',
  labels: { podName: 'web-0' },
  context: {
    MTU: 1446,
    ethernetContext: { srcMac: '02:00:5e:10:00:01' },
    ipContext: {
      srcIpAddrs: ['10.0.0.1/32', 'fd00::1/128'],
      dstIpAddrs: ['10.0.0.2/32', 'fd00::2/128'],
      srcRoutes: [{ prefix: '10.0.0.2/32' }, { prefix: '10.8.0.0/16', nextHop: '10.0.0.2' }],
      dstRoutes: [{ prefix: '10.0.0.1/32' }],
      ipNeighbors: [{ ip: '10.0.0.2', hardwareAddress: '02:00:5e:10:00:02' }],
      policies: [
        { from: '10.0.0.1', proto: '6', dstPort: '80-90', routes: [] },
        { srcPort: '7', routes: [{ prefix: '10.9.0.0/16', nextHop: '10.0.0.2' }] },
      ],
    },
  },
});
const kernel = { cls: 'LOCAL', type: 'KERNEL', parameters: { inodeURL: 'inode://4/4026532526', name: 'nsm-1' } };
const memif = { cls: 'LOCAL', type: 'MEMIF', parameters: { inodeURL: 'inode://4/4026532527', socketfile: '@nsm' } };

function read(agreement: Partial<Agreement>) {
  const pathOf = () => '/proc/self/fd/9';
  const both = { name: 'nsm-c1', connection, client: kernel, endpoint: kernel, memifViaEngine: true, pathOf };
  return readDocument(wireDocumentOf({ ...both, ...agreement }));
}

test('a kernel end with all that an IP context can say reads as one', (t) => {
  const reading = read({ endpoint: memif });
  t.deepEqual(reading.problems, []);
  if (!('wire' in reading)) return t.fail();
  t.like(reading.wire.client.mechanism, {
    namespace: { inode: 4026532526, netns: '/proc/self/fd/9' },
    allowPing: true,
    policies: [
      { from: '10.0.0.1/32', protocol: 6, destinationPorts: '80-90', routes: [{ to: '0.0.0.0/0' }] },
      { sourcePorts: '7', routes: [{ to: '10.0.0.2/32' }, { to: '10.9.0.0/16', via: '10.0.0.2' }] },
    ],
  });
  t.like(reading.wire.endpoint.mechanism, { socket: '@nsm', inode: 4026532527, netns: '/proc/self/fd/9' });
});

test('memif at both ends is a direct wire, unless the engine is asked for', (t) => {
  const socketfile = '@endpoint';
  const endpoint = { ...memif, parameters: { ...memif.parameters, socketfile } };
  for (const memifViaEngine of [false, true]) {
    const reading = read({ client: memif, endpoint, memifViaEngine });
    t.deepEqual(reading.problems, []);
    if ('wire' in reading) t.is(choosePath(reading.wire).path, memifViaEngine ? 'engine' : 'proxy');
  }
});

test('memif opposite a virtual function or a VLAN has the MAC address of the Ethernet context, and needs one', (t) => {
  const ethernet = structuredClone(connection);
  Object.assign(ethernet, { payload: 'ETHERNET' });
  Object.assign(ethernet.context!, { ethernetContext: { srcMac: '', dstMac: '02:00:5E:10:00:02', vlanTag: 0 } });
  const tokenID = 'sriov-01234567-89ab-4def-8123-456789abcdef';
  const devices = { resourceOf: () => 'worker.domain/10G', portFor: async () => '', controlGroupOf: () => '' };
  const client = { ...kernel, parameters: { ...kernel.parameters, tokenID } };
  const reading = read({ connection: ethernet, client, endpoint: memif, devices });
  t.deepEqual(reading.problems, []);
  if ('wire' in reading) t.like(reading.wire.endpoint.mechanism, { type: 'memif', mac: '02:00:5e:10:00:02' });

  const vlan = { cls: 'REMOTE', type: 'VLAN', parameters: {} };
  const { problems } = read({
    connection: ethernet,
    client: memif,
    endpoint: vlan,
    network: { device: 'eth1', id: 7, mtu: 1500 },
  });
  t.deepEqual(
    problems.map(({ code, path }) => [code, path.at(-1)]),
    [['KEY_MISSING', 'memif']],
  );
});

test('what a client asks wrongly is refused by its key', (t) => {
  const wrong = structuredClone(connection);
  wrong.context!.ipContext!.policies = [{ from: 'me', proto: '300', dstPort: '70000', srcPort: '', routes: [] }];
  const { problems } = read({ connection: wrong, endpoint: memif });
  t.deepEqual(
    problems.map(({ code, path }) => [code, path.at(-1)]),
    ['from', 'protocol', 'destinationPorts'].map((key) => ['VALUE_INVALID', key]),
  );
});

test('a tunnel leads to the address that counts on the way, not to the one before a translation', (t) => {
  const parameters = { src_ip: '203.0.113.7', orig_src_ip: '10.0.0.1', dst_ip: '10.0.0.2', orig_dst_ip: '10.0.0.9' };
  const vxlan = {
    cls: 'REMOTE',
    type: 'VXLAN',
    parameters: { ...parameters, src_port: '4789', dst_port: '4790', vni: '6' },
  };
  const [ours, theirs] = ['10.0.0.2', '203.0.113.7'];
  for (const [sides, tunnel] of [
    [{ client: vxlan }, { local: ours, remote: theirs, port: 4790 }],
    [{ endpoint: vxlan }, { local: theirs, remote: ours, port: 4789 }],
  ] as const) {
    const reading = read(sides);
    t.deepEqual(reading.problems, []);
    if (!('wire' in reading)) return t.fail();
    const end = 'client' in sides ? reading.wire.client : reading.wire.endpoint;
    t.like(end.mechanism, { ...tunnel, vni: 6 });
  }
});

// SPDX-License-Identifier: Apache-2.0
// The report of a MADE-UP machine with two NICs: one without virtual functions, the other with one in each possible state.

import type { DeviceReport, DeviceStatus } from '../../src/model/device-status.ts';

const common = { physicalFunction: '0000:01:00.0', driver: 'igbvf', resources: ['worker.domain/10G'] };
const used = 'the host uses it: eth4 has the address 192.0.2.1/24';
const counters = {
  rxPackets: 2n ** 53n + 1n,
  txPackets: 2n,
  rxBytes: 3n,
  txBytes: 4n,
  rxDropped: 5n,
  txDropped: 6n,
};

const all: readonly DeviceStatus[] = [
  {
    ...common,
    pci: '0000:01:10.0',
    index: 0,
    state: 'leased',
    holder: { pci: '0000:01:10.0', wire: 'a-to-b', end: 'client', state: 'held' },
    refusals: {},
    iommuGroup: 10,
    mac: '02:00:00:00:00:a0',
    vlan: 100,
    trust: true,
    spoofCheck: false,
    maxRate: 500,
    counters,
  },
  { ...common, pci: '0000:01:10.2', index: 1, state: 'free', refusals: {}, iommuGroup: 11, interface: 'eth3' },
  { ...common, pci: '0000:01:10.4', index: 2, state: 'unusable', refusals: { kernel: used, vfio: used } },
  { ...common, pci: '0000:01:10.6', index: 3, state: 'free', refusals: { vfio: 'it has no IOMMU group' } },
];

const nic = { driver: 'igb', up: true, possible: 7 };
export const devices: DeviceReport = {
  physicalFunctions: [
    { ...nic, pci: '0000:01:00.0', interface: 'eth0', present: 4, resources: ['worker.domain/10G'] },
    { ...nic, pci: '0000:02:00.0', present: 0, resources: [], problem: 'it is not in the SR-IOV file' },
  ],
  devices: all,
  lost: [{ pci: '0000:03:10.0', wire: 'c-to-d', end: 'endpoint', state: 'held' }],
};

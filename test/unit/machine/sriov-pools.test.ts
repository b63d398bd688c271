// SPDX-License-Identifier: Apache-2.0
// The choice of a virtual function.

import test from 'ava';
import { chooseDevice, type DeviceMode, type DeviceWish } from '../../../src/machine/sriov/pools.ts';
import type { DeviceReport, DeviceStatus } from '../../../src/model/device-status.ts';

const device = (pci: string, more: Partial<DeviceStatus> = {}): DeviceStatus => ({
  pci,
  physicalFunction: `${pci.slice(0, 8)}00.0`,
  index: 0,
  state: 'free',
  refusals: {},
  driver: 'igbvf',
  resources: ['worker.domain/10G'],
  ...more,
});
const resource = { resource: 'worker.domain/10G' };
const holder = (pci: string) => ({ pci, wire: 'w', end: 'client', state: 'held' }) as const;
const leased = (pci: string, more: Partial<DeviceStatus> = {}) =>
  device(pci, { state: 'leased', holder: holder(pci), ...more });
const choose = (
  devices: DeviceStatus[],
  wish: DeviceWish = resource,
  mode: DeviceMode = 'kernel',
  taken: string[] = [],
) =>
  chooseDevice({ physicalFunctions: [], devices, lost: [] } satisfies DeviceReport, wish, mode, (pci) =>
    taken.includes(pci),
  ).pci;

test('the NIC with the most that are free, then the lower address', (t) => {
  const devices = [device('0000:01:10.2'), device('0000:02:10.2'), device('0000:02:10.0'), leased('0000:01:10.0')];
  t.is(choose(devices), '0000:02:10.0');
  t.is(choose(devices, resource, 'kernel', ['0000:02:10.0', '0000:02:10.2']), '0000:01:10.2');
});

test('first one that is bound to the driver already', (t) => {
  const devices = [
    device('0000:01:10.0'),
    device('0000:01:10.2', { driver: 'vfio-pci' }),
    device('0000:01:10.4', { driver: undefined }),
  ];
  t.is(choose(devices), '0000:01:10.0');
  t.is(choose(devices, resource, 'vfio'), '0000:01:10.2');
  t.is(choose(devices, resource, 'kernel', ['0000:01:10.0']), '0000:01:10.2');
});

test('a shared IOMMU group goes to one wire alone where an application drives a device of it', (t) => {
  const group = { iommuGroup: 5 };
  const vfio = { ...group, driver: 'vfio-pci' };
  t.throws(() => choose([device('0000:01:10.0', group), leased('0000:01:10.2', group)], resource, 'vfio'), {
    message: /group 5 is shared/,
  });
  t.throws(() => choose([device('0000:01:10.0', vfio), leased('0000:01:10.2', vfio)]), {
    message: /group 5 is shared/,
  });
  t.is(choose([device('0000:01:10.0', group), leased('0000:01:10.2', group)]), '0000:01:10.0');
});

test('one by its address, or one beside another on the same NIC', (t) => {
  const devices = [device('0000:01:10.0'), device('0000:01:10.2'), device('0000:02:10.0')];
  t.is(choose(devices, { pci: '0000:02:10.0' }), '0000:02:10.0');
  t.is(choose(devices, { beside: '0000:01:10.0' }), '0000:01:10.2');
  t.throws(() => choose(devices, { beside: '0000:02:10.0' }), { message: /no other virtual function/ });
  t.throws(() => choose(devices, { pci: '0000:03:10.0' }), { message: /no virtual function of a NIC at that address/ });
  t.throws(() => choose(devices, { resource: 'worker.domain/1G' }), { message: /no NIC of the SR-IOV file/ });
});

test('where none is free, the reason of each is told', (t) => {
  const why = 'the host uses it: eth3 has the address 192.0.2.1/24';
  const devices = [
    leased('0000:01:10.0'),
    device('0000:01:10.2', { refusals: { kernel: why, vfio: why } }),
    device('0000:01:10.4'),
  ];
  const error = t.throws(() => choose(devices, resource, 'kernel', ['0000:01:10.4'])) as Error & { code: string };
  t.is(error.code, 'DEVICE_UNAVAILABLE');
  t.regex(
    error.message,
    /0000:01:10\.0: it is leased to client of wire w; 0000:01:10\.2: the host uses it.*; 0000:01:10\.4: it is promised/,
  );
});

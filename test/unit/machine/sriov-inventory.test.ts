// SPDX-License-Identifier: Apache-2.0
// The inventory of a machine and why devices cannot be lent, with a made-up sysfs; test/sriov uses the real one.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import test from 'ava';
import { makeVirtualFunctions } from '../../../src/machine/sriov/numvfs.ts';
import type { DeviceReport } from '../../../src/model/device-status.ts';
import { allowed, machine, pf } from './sriov-support.ts';

const find = (report: DeviceReport, pci: string) => report.devices.find((one) => one.pci === pci);

test('every virtual function of every NIC, by its address, with what its driver tells', async (t) => {
  const { inventory, kernel } = await machine(t);
  const statistics = { rxPackets: 5n, txPackets: 7n, rxBytes: 50n, txBytes: 70n, rxDropped: 1n, txDropped: 0n };
  kernel.interface('', 'eth0').virtualFunctions = [
    { index: 0, mac: '02:00:00:00:00:a0', vlan: 100, trust: true, spoofCheck: false, maxRate: 500, statistics },
  ];
  const report = await inventory.read();
  t.deepEqual(
    report.physicalFunctions.map(({ pci, interface: name, present, possible, resources, problem }) => [
      pci,
      name,
      present,
      possible,
      resources.join(),
      problem,
    ]),
    [
      [pf.one, 'eth0', 3, 7, 'worker.domain/intel,worker.domain/10G', undefined],
      [pf.two, 'eth1', 2, 7, 'worker.domain/intel,worker.domain/1G', undefined],
    ],
  );
  t.deepEqual(
    report.devices.map(({ pci, index, state, iommuGroup }) => [pci, index, state, iommuGroup]),
    [
      ['0000:01:10.0', 0, 'free', 10],
      ['0000:01:10.2', 1, 'free', 11],
      ['0000:01:10.4', 2, 'free', 12],
      ['0000:02:10.0', 0, 'free', 20],
      ['0000:02:10.2', 1, 'free', 21],
    ],
  );
  const first = find(report, '0000:01:10.0');
  t.like(first, { mac: '02:00:00:00:00:a0', vlan: 100, trust: true, spoofCheck: false, maxRate: 500 });
  // Frames that the VF sent entered the wire.
  t.like(first?.counters, { rxPackets: 7n, txPackets: 5n, rxBytes: 70n, txBytes: 50n, txDropped: 1n });
});

test('a driver that counts nothing answers zeros, which are not shown as counters', async (t) => {
  const { inventory, kernel } = await machine(t);
  const none = { rxPackets: 0n, txPackets: 0n, rxBytes: 0n, txBytes: 0n, rxDropped: 0n, txDropped: 0n };
  kernel.interface('', 'eth0').virtualFunctions = [{ index: 0, statistics: none }];
  t.is(find(await inventory.read(), '0000:01:10.0')?.counters, undefined);
});

test('a leased one tells whose it is, whatever else holds of it', async (t) => {
  const holder = { pci: '0000:01:10.2', wire: 'a-to-b', end: 'client', state: 'held' } as const;
  const { inventory } = await machine(t, {
    holders: async () => [holder],
    functions: { '0000:01:10.2': { interface: undefined } },
  });
  t.like(find(await inventory.read(), holder.pci), { state: 'leased', holder, refusals: {} });
});

test('a lease of one that is not there any more is lost', async (t) => {
  const holder = { pci: '0000:01:10.6', wire: 'a-to-b', end: 'client', state: 'held' } as const;
  const report = await (await machine(t, { holders: async () => [holder] })).inventory.read();
  t.deepEqual(report.lost, [holder]);
  t.is(report.devices.length, 5);
});

const eth2 = '0000:01:10.0';
const refused = (title: string, expected: RegExp, prepare: Parameters<typeof machine>[1], pci = eth2) =>
  test(`unusable: ${title}`, async (t) => {
    const { inventory } = await machine(t, prepare);
    const device = find(await inventory.read(), pci);
    t.is(device?.state, 'unusable');
    t.regex(device?.refusals.kernel ?? '', expected);
    t.regex(device?.refusals.vfio ?? '', expected);
  });

refused('its NIC is not in the file', /0000:01:00\.0 is not in the SR-IOV file/, { allowed: allowed.slice(1) });
refused('its NIC has another driver', /bound to ice, not to igb/, { functions: { [pf.one]: { driver: 'ice' } } });
refused('its NIC has no driver', /bound to no driver/, { functions: { [pf.one]: { driver: undefined } } });
refused('its NIC has no interface here', /no interface in this network namespace/, {
  functions: { [pf.one]: { interface: undefined } },
});
refused('something is above it', /br0 is above eth2/, { functions: { [eth2]: { uppers: ['br0'] } } });
refused('another driver has it', /bound to uio_pci_generic/, {
  functions: { [eth2]: { driver: 'uio_pci_generic', interface: undefined } },
});
refused('somebody lent it before us', /another program may have lent it/, {
  functions: { [eth2]: { interface: undefined } },
});
refused('no driver and no IOMMU', /driver iavf is not loaded|no IOMMU group/, {
  allowed: [{ ...allowed[0]!, vfKernelDriver: 'iavf' }],
  functions: { [eth2]: { driver: undefined, interface: undefined, group: undefined } },
});

test('unusable: the host has an address or a route on it; link-local ones do not count', async (t) => {
  const { inventory, kernel, root } = await machine(t);
  kernel.interface('', 'eth2').addresses.push('192.0.2.1/24');
  await mkdir(`${root}/proc/net`, { recursive: true });
  await writeFile(
    `${root}/proc/net/route`,
    'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\neth3\t0000000A\t00000000\t0001\t0\t0\t0\t000000FF\t0\t0\t0\n',
  );
  const six = (to: string, name: string) =>
    `${to} 40 ${'0'.repeat(32)} 00 ${'0'.repeat(32)} 00000100 00000001 00000000 00000001 ${name}\n`;
  await writeFile(
    `${root}/proc/net/ipv6_route`,
    six(`fe80${'0'.repeat(28)}`, 'eth4') +
      six(`ff00${'0'.repeat(28)}`, 'eth4') +
      six(`20010db8${'0'.repeat(24)}`, 'eth5'),
  );
  const report = await inventory.read();
  t.regex(find(report, '0000:01:10.0')?.refusals.kernel ?? '', /eth2 has the address 192\.0\.2\.1\/24/);
  t.regex(find(report, '0000:01:10.2')?.refusals.kernel ?? '', /a route goes through eth3/);
  t.is(find(report, '0000:01:10.4')?.state, 'free');
  t.regex(find(report, '0000:02:10.0')?.refusals.vfio ?? '', /a route goes through eth5/);
});

test('only for one of both: without an IOMMU, without vfio-pci, without the kernel driver, in a shared group', async (t) => {
  const one = async (changes: Parameters<typeof machine>[1], pci = eth2) =>
    find(await (await machine(t, changes)).inventory.read(), pci);
  const noIommu = await one({ functions: { [eth2]: { group: undefined } } });
  t.is(noIommu?.state, 'free');
  t.regex(noIommu?.refusals.vfio ?? '', /no IOMMU/);
  t.regex(
    (await one({ drivers: ['igb', 'igbvf'], functions: { '0000:02:10.2': { driver: undefined } } }))?.refusals.vfio ??
      '',
    /modprobe vfio-pci/,
  );
  const noDriver = await one(
    {
      allowed: [{ ...allowed[1]!, vfKernelDriver: 'iavf' }],
    },
    '0000:02:10.2',
  );
  t.is(noDriver?.state, 'free');
  t.regex(noDriver?.refusals.kernel ?? '', /modprobe iavf/);
  const disk = { pci: '0000:06:00.0', class: '10802', driver: 'nvme', group: 10 };
  const shared = await one({ more: [disk] });
  t.is(shared?.state, 'free');
  t.is(shared?.refusals.vfio, 'its IOMMU group 10 is shared with 0000:06:00.0, which nvme drives');
  t.is(shared?.refusals.kernel, undefined);
  t.is((await one({ more: [{ ...disk, driver: 'pcieport' }] }))?.refusals.vfio, undefined);
  // Another virtual function of the group is bound too, unless the host uses it.
  const together = { '0000:01:10.2': { group: 10 } };
  t.is((await one({ functions: together }))?.refusals.vfio, undefined);
  const used = { '0000:01:10.2': { group: 10, uppers: ['br0'] } };
  t.regex((await one({ functions: used }))?.refusals.vfio ?? '', /group 10 is shared with 0000:01:10\.2, which igbvf/);
});

test('without a file, virtual functions are known by their address, and by no resource', async (t) => {
  const { inventory } = await machine(t, { allowed: undefined });
  const report = await inventory.read();
  t.like(find(report, eth2), { state: 'free', resources: [], refusals: {} });
  // It is bound to vfio-pci, and no file says which driver gives it an interface.
  t.regex(find(report, '0000:02:10.2')?.refusals.kernel ?? '', /the SR-IOV file has to say/);
});

test('virtual functions are made where there are none, and nowhere else', async (t) => {
  const { sysfs, root } = await machine(t, {
    functions: { [pf.two]: { virtualFunctions: { present: 0, possible: 7 } } },
  });
  const absent = { ...allowed[0]!, pci: '0000:09:00.0' };
  const { made, errors } = await makeVirtualFunctions(sysfs, [...allowed, absent]);
  t.deepEqual(made, [{ pci: pf.two, count: 7 }]);
  t.deepEqual(
    errors.map(({ code, subject }) => [code, subject]),
    [['DEVICE_MISSING', '0000:09:00.0']],
  );
  const numvfs = (pci: string) => readFile(`${root}/bus/pci/devices/${pci}/sriov_numvfs`, 'utf8');
  t.is(await numvfs(pf.one), '3\n');
  t.regex(await numvfs(pf.two), /^7/);
});

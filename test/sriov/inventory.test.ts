// SPDX-License-Identifier: Apache-2.0
// Inventory, drivers and attributes with emulated NICs with SR-IOV and an IOMMU, in the lab's guest:
//   0000:01:00.0 (igb, up to 7 VFs)      0000:02:00.0 (the same, behind a port without ACS)

import { existsSync, readdirSync } from 'node:fs';
import { open, readFile, rm, writeFile } from 'node:fs/promises';
import test, { type ExecutionContext } from 'ava';
import { NativeDataplane } from '../../src/dataplane/dataplane.ts';
import { awaitNetdev, bindDriver, unbindDriver, vfioDriver } from '../../src/machine/sriov/driver.ts';
import { Inventory } from '../../src/machine/sriov/inventory.ts';
import { makeVirtualFunctions } from '../../src/machine/sriov/numvfs.ts';
import { chooseDevice } from '../../src/machine/sriov/pools.ts';
import { Sysfs } from '../../src/machine/sriov/sysfs.ts';
import type { DeviceReport, PhysicalFunctionSettings } from '../../src/model/device-status.ts';
import { CrosswireError } from '../../src/model/error.ts';
import { Daemon } from '../support/daemon.ts';
import { Namespace } from '../support/namespace.ts';
import { run } from '../support/shell.ts';
import { bringUp } from './support/links.ts';

const pf = { one: '0000:01:00.0', two: '0000:02:00.0' };
const resource = 'worker.domain/10G';
const allow = (pci: string): PhysicalFunctionSettings => ({
  pci,
  pfKernelDriver: 'igb',
  vfKernelDriver: 'igbvf',
  capabilities: ['10G'],
  serviceDomains: ['worker.domain'],
});
const both = [allow(pf.one), allow(pf.two)];
const file = `physicalFunctions:
  01:00.0: { pfKernelDriver: igb, vfKernelDriver: igbvf, capabilities: [10G], serviceDomains: [worker.domain] }
`;

const sysfs = new Sysfs();
const dataplane = new NativeDataplane();
const inventory = (allowed: readonly PhysicalFunctionSettings[] | undefined = both) =>
  new Inventory({ sysfs, dataplane, allowed, holders: async () => [] });
const find = (report: DeviceReport, pci: string) => report.devices.find((one) => one.pci === pci);
const numvfs = (pci: string) => `/sys/bus/pci/devices/${pci}/sriov_numvfs`;

/** Makes virtual functions of the first NIC, bound to the driver that the kernel chooses. */
async function make(t: ExecutionContext, count: number) {
  t.teardown(() => writeFile(numvfs(pf.one), '0'));
  await writeFile(numvfs(pf.one), String(count));
  const places = await sysfs.virtualFunctions(pf.one);
  for (const { pci } of places) await awaitNetdev(sysfs, pci);
  return places.map(({ pci }) => pci) as [string, ...string[]];
}

const interfaceOf = async (pci: string) => (await awaitNetdev(sysfs, pci)) ?? `none of ${pci}`;

test.before(async () => {
  for (const driver of ['igb', 'igbvf', vfioDriver]) await run('modprobe', driver);
  for (const pci of Object.values(pf)) await bringUp(await interfaceOf(pci)); // the speed, which limits the rate, is known once there is a carrier
});

test.serial('virtual functions are made where there are none, and left alone where there are some', async (t) => {
  await make(t, 2);
  t.teardown(() => writeFile(numvfs(pf.two), '0'));
  t.deepEqual(await makeVirtualFunctions(sysfs, both), { made: [{ pci: pf.two, count: 7 }], errors: [] });
  const report = await inventory().read();
  const { physicalFunctions, devices } = report;
  t.deepEqual(
    physicalFunctions.map(({ pci, driver, present, possible }) => [pci, driver, present, possible]),
    [
      [pf.one, 'igb', 2, 7],
      [pf.two, 'igb', 7, 7],
    ],
  );
  t.is(devices.length, 9);
  for (const one of devices) t.like(one, { state: 'free', driver: 'igbvf', spoofCheck: true }, one.pci);
  const alone = devices.filter(({ physicalFunction }) => physicalFunction === pf.one); // the others share a group
  for (const { refusals } of alone) t.deepEqual(refusals, {});
  t.is(new Set(alone.map(({ iommuGroup }) => iommuGroup)).size, 2);
  // The NIC with the most free functions, then the lower address.
  t.is(chooseDevice(report, { resource }, 'kernel').pci, '0000:02:10.0');
  const began = performance.now();
  await inventory().read();
  t.log(`one reading of 9 virtual functions: ${Math.round(performance.now() - began)} ms`);
});

test.serial('what the host uses cannot be lent, and the reason is told', async (t) => {
  const functions = await make(t, 4);
  const [addressed, routed, bridged, free] = functions as unknown as [string, string, string, string];
  await run('ip', 'address', 'add', '192.0.2.1/24', 'dev', await interfaceOf(addressed));
  const name = await interfaceOf(routed);
  await run('ip', 'link', 'set', name, 'up');
  await run('ip', 'route', 'add', '198.51.100.0/24', 'dev', name);
  await run('ip', 'link', 'add', 'br-test', 'type', 'bridge');
  t.teardown(() => run('ip', 'link', 'delete', 'br-test'));
  await run('ip', 'link', 'set', await interfaceOf(bridged), 'master', 'br-test');
  const report = await inventory().read();
  const why = (pci: string) => find(report, pci)?.refusals.kernel ?? '';
  t.regex(why(addressed), /has the address 192\.0\.2\.1\/24/);
  t.regex(why(routed), /a route goes through/);
  t.regex(why(bridged), /br-test is above/);
  t.deepEqual(
    functions.map((pci) => find(report, pci)?.state),
    ['unusable', 'unusable', 'unusable', 'free'],
  );
  t.is(chooseDevice(report, { resource }, 'vfio').pci, free);
  const other = await inventory([allow(pf.two)]).read();
  t.regex(find(other, free)?.refusals.kernel ?? '', /not in the SR-IOV file/);
});

test.serial('one that another program lent is not taken from it', async (t) => {
  const [pci] = await make(t, 1);
  const away = await Namespace.make('away');
  t.teardown(() => away.remove());
  await run('ip', 'link', 'set', await interfaceOf(pci), 'netns', away.name);
  const report = await inventory().read();
  t.is(find(report, pci)?.state, 'unusable');
  t.regex(find(report, pci)?.refusals.vfio ?? '', /another program may have lent it/);
  t.throws(() => chooseDevice(report, { resource }, 'kernel'), { message: /another program may have lent it/ });
  const [seen] = await dataplane
    .listInterfaces({ netns: away.path, aliasPrefix: '' })
    .then((all) => all.filter(({ device }) => device === pci));
  t.is(seen?.kind, '');
});

test.serial('its driver changes and changes back; the interface goes and comes with it', async (t) => {
  const [pci] = await make(t, 1);
  await bindDriver(sysfs, pci, vfioDriver);
  t.like(await sysfs.read(pci), { driver: vfioDriver, interface: undefined, driverOverride: undefined });
  t.like(find(await inventory().read(), pci), { state: 'free', driver: vfioDriver, refusals: {} });
  await bindDriver(sysfs, pci, 'igbvf', 'igbvf');
  t.like(await sysfs.read(pci), { driver: 'igbvf', driverOverride: 'igbvf' });
  t.regex(await interfaceOf(pci), /^eth/);
  await bindDriver(sysfs, pci, 'igbvf');
  t.is((await sysfs.read(pci))?.driverOverride, undefined);
  await t.throwsAsync(bindDriver(sysfs, pci, 'nothing'), { code: 'DRIVER_MISSING' });
  await t.throwsAsync(bindDriver(sysfs, pci, 'e1000e'), { code: 'DRIVER_MISSING' });
  t.is((await sysfs.read(pci))?.driver, 'igbvf', 'what is not there is found out before anything changes');
  await unbindDriver(sysfs, pci);
  await unbindDriver(sysfs, pci);
  t.like(await sysfs.read(pci), { driver: undefined, interface: undefined });
});

test.serial('an application that has the group open keeps it: nothing waits for it in the kernel', async (t) => {
  const [pci] = await make(t, 1);
  await bindDriver(sysfs, pci, vfioDriver);
  const group = `/dev/vfio/${(await sysfs.read(pci))?.iommuGroup}`;
  const held = await open(group, 'r+');
  t.like(find(await inventory().read(), pci), { state: 'unusable' });
  t.regex(find(await inventory().read(), pci)?.refusals.vfio ?? '', /an application drives it/);
  const refused = await t.throwsAsync(unbindDriver(sysfs, pci), { code: 'DEVICE_BUSY' });
  t.regex(refused?.message ?? '', /a process has \/dev\/vfio\/\d+ open/);
  await held.close();
  t.is(find(await inventory().read(), pci)?.state, 'free');
  await unbindDriver(sysfs, pci);
  t.is(await sysfs.driverOf(pci), undefined);
});

test.serial(
  'unbinding takes the interface away wherever it is; moving it renames and marks it in one step',
  async (t) => {
    const [pci] = await make(t, 1);
    const away = await Namespace.make('away');
    t.teardown(() => away.remove());
    const alias = 'crosswire/lab/wire/client';
    await dataplane.moveInterface({ netns: '', name: await interfaceOf(pci), alias, to: away.path, rename: 'nsm-1' });
    const [moved] = await dataplane.listInterfaces({ netns: away.path, aliasPrefix: 'crosswire/' });
    t.like(moved, { name: 'nsm-1', alias, device: pci, up: false });
    await unbindDriver(sysfs, pci);
    t.deepEqual(await away.interfaces(), []);
    await bindDriver(sysfs, pci, 'igbvf');
    const [back] = await dataplane.listInterfaces({ netns: '', names: [await interfaceOf(pci)] });
    t.like(back, { alias: '', device: pci });
  },
);

type Answer = 'accepted' | `refused: ${string}`;
const answer = (attempt: Promise<unknown>): Promise<Answer> =>
  attempt.then(
    () => 'accepted' as const,
    (error: Error) => `refused: ${error instanceof CrosswireError ? error.reason : lastLine(error.message)}` as const,
  );
const lastLine = (text: string) => text.trim().split('\n').at(-1) ?? '';

/** The answer of each driver to each attribute: the table in docs/virtual-functions.md. */
async function attributes(name: string): Promise<Record<string, Answer>> {
  const vf = { netns: '', pf: name, index: 0 };
  const set = (change: object) => answer(dataplane.changeVirtualFunction({ ...vf, ...change }));
  const byHand = (...args: string[]) => answer(run('ip', 'link', 'set', name, 'vf', '0', ...args));
  return {
    vlan802_1ad: await byHand('vlan', '100', 'proto', '802.1ad'), // undone by the next request
    mac: await set({ mac: '02:00:00:00:00:a0' }),
    vlan: await set({ vlan: 100 }),
    qualityOfService: await set({ vlan: 100, qualityOfService: 3 }),
    spoofCheck: await set({ spoofCheck: false }),
    trust: await set({ trust: true }),
    maxRate: await set({ maxRate: 500 }),
    minRate: await byHand('min_tx_rate', '10'),
    linkState: await byHand('state', 'enable'),
    rssQuery: await byHand('query_rss', 'on'),
  };
}

const settled = {
  mac: '02:00:00:00:00:a0',
  vlan: 100,
  qualityOfService: 3,
  spoofCheck: false,
  trust: true,
  maxRate: 500,
};

test.serial('attributes: igb takes those that a wire can ask for, and shows them', async (t) => {
  await make(t, 1);
  const name = await interfaceOf(pf.one);
  await bringUp(name); // igb resets with each change of the number, and refuses rates until it knows its speed again
  const answers = await attributes(name);
  t.log(answers);
  const [seen] = await dataplane.readVirtualFunctions('', name);
  t.like(seen, settled);
  for (const one of ['mac', 'vlan', 'qualityOfService', 'spoofCheck', 'trust', 'maxRate'])
    t.is(answers[one], 'accepted', one);
  for (const one of ['minRate', 'linkState']) t.regex(answers[one] ?? '', /^refused: /, one);
  const refused = await t.throwsAsync(dataplane.changeVirtualFunction({ netns: '', pf: name, index: 5, vlan: 7 }), {
    code: 'VF_REFUSED',
  });
  t.is(refused?.message, `set VLAN 7 (VF 5 of ${name}): Invalid argument`);
});

/** Makes a netdevsim NIC: it has attributes of virtual functions, but no PCI devices, interfaces or frames. */
async function simulated(t: ExecutionContext, count: number): Promise<string> {
  await run('modprobe', 'netdevsim');
  const bus = '/sys/bus/netdevsim';
  await writeFile(`${bus}/new_device`, '1 1');
  t.teardown(() => writeFile(`${bus}/del_device`, '1'));
  if (!existsSync('/sys/kernel/debug/netdevsim')) await run('mount', '-t', 'debugfs', 'none', '/sys/kernel/debug');
  await writeFile('/sys/kernel/debug/netdevsim/netdevsim1/max_vfs', String(count));
  await writeFile(`${bus}/devices/netdevsim1/sriov_numvfs`, String(count));
  return readdirSync(`${bus}/devices/netdevsim1/net`)[0] as string;
}

test.serial('attributes: netdevsim takes more of them', async (t) => {
  const name = await simulated(t, 2);
  const answers = await attributes(name);
  t.log(answers);
  const [seen] = await dataplane.readVirtualFunctions('', name);
  t.like(seen, settled);
  for (const one of Object.keys(settled)) t.is(answers[one], 'accepted', one);
});

test.serial('256 virtual functions are all told, though their counters do not fit into one answer', async (t) => {
  const told = await dataplane.readVirtualFunctions('', await simulated(t, 256));
  t.deepEqual(
    told.map(({ index }) => index),
    Array.from({ length: 256 }, (_, index) => index),
  );
});

test.serial('a daemon makes them, lists them and counts them by state', async (t) => {
  const path = `/tmp/sriov-${process.pid}.yaml`;
  await writeFile(path, file);
  t.teardown(() => rm(path));
  t.teardown(() => writeFile(numvfs(pf.one), '0'));
  const daemon = await Daemon.start('--sriov-config-file', path);
  t.teardown(() => daemon.destroy());
  t.is(await readFile(numvfs(pf.one), 'utf8'), '7\n');
  t.is(await readFile(numvfs(pf.two), 'utf8'), '0\n', 'this NIC is not in the file');
  const list = await daemon.cli('get', 'devices');
  t.log(`\n${list.stdout}`);
  t.is(
    list.stdout
      .split('\n')
      .filter((line) => /^0000:01:1\S+ +eth\d\/\d +free +igbvf +\d+ +worker\.domain\/10G/.test(line)).length,
    7,
  );
  t.regex(list.stdout, /\(0000:02:00\.0\) has none of its 7 virtual functions: .* not in the SR-IOV file/);
  const metrics = await daemon.metrics();
  t.is(metrics.sum('crosswire_devices', { physical_function: pf.one, state: 'free' }), 7n);
  t.is(metrics.sum('crosswire_device_info', { physical_function: pf.one, driver: 'igbvf', wire: '' }), 7n);
  const doctor = await daemon.cli('get', 'devices', '-o', 'json');
  t.is((JSON.parse(doctor.stdout) as DeviceReport).devices.length, 7);
});
